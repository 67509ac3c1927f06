"""What an error means: its codes are looked up, its wording is a hint, its status is the last resort."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.model.fault import Evidence, FaultKind
from holdfast.model.route import Api
from holdfast.wire.codes import find_row
from holdfast.wire.codes.code_row import CodeRow
from holdfast.wire.faults.error_body import ErrorBody
from holdfast.wire.faults.hints import find_hint, read_wording
from holdfast.wire.redact import repeats

STATUSES: Mapping[int, FaultKind] = {  # RFC 9110, section 15, and what providers add to it
    400: FaultKind.INVALID_REQUEST,
    401: FaultKind.AUTH,
    402: FaultKind.SPEND_LIMIT,
    403: FaultKind.FORBIDDEN,
    404: FaultKind.MODEL_NOT_FOUND,
    408: FaultKind.REQUEST_TIMEOUT,
    409: FaultKind.CONFLICT,
    410: FaultKind.MODEL_NOT_FOUND,
    413: FaultKind.TOO_LONG,
    421: FaultKind.SERVER_ERROR,
    422: FaultKind.INVALID_REQUEST,
    424: FaultKind.SERVER_ERROR,  # what the server itself asked has failed: Azure, TGI, Bedrock
    425: FaultKind.CONFLICT,
    429: FaultKind.RATE_LIMITED,
    434: FaultKind.FORBIDDEN,  # Zhipu: no permission for this API
    435: FaultKind.TOO_LONG,  # Zhipu: the file is too large
    451: FaultKind.FORBIDDEN,
    498: FaultKind.OVERLOADED,  # Groq: the flex tier is full
    499: FaultKind.REQUEST_TIMEOUT,
    529: FaultKind.OVERLOADED,
}
USUAL = frozenset({500, 501, 502, 503, 504, *range(520, 531)})
EDGES = frozenset({400, 403, 405, 406, 407, 451})  # a page with these is of what stands before the API
DECISIVE = frozenset({402, 413})  # statuses that say more than a code which covers several things
SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True)
class Meaning:
    """A kind, and what told it."""

    kind: FaultKind
    evidence: Evidence
    code: str | None = None
    """The code that told it, or the first one."""
    wrong_everywhere: bool = False
    unfamiliar: bool = False


def find_meaning(api: Api, status: int, error: ErrorBody, prompt: str = "") -> Meaning:
    """Understand an answer that is no 200."""
    found = [(code, row) for code in error.codes if (row := find_row(api, code))]
    code = error.codes[0] if error.codes else None
    unfamiliar = _is_unfamiliar(status, error, known=bool(found))
    for name, row in found:
        if row.kind is not None and not row.is_vague:
            return Meaning(row.kind, Evidence.CODE, name)
    kind = _hint(api, status, error, prompt)
    if kind is not None:
        return Meaning(kind, Evidence.WORDS, code, unfamiliar=unfamiliar)
    for name, row in found:
        if row.kind is not None and status not in DECISIVE:
            return Meaning(row.kind, Evidence.CODE, name)
    kind = FaultKind.SERVER_ERROR if error.is_page and status in EDGES else kind_of_status(status)
    wrong = kind is FaultKind.INVALID_REQUEST and any(row.wrong_everywhere for _, row in found)
    return Meaning(kind, Evidence.CODE if wrong else Evidence.STATUS, code, wrong, unfamiliar)


def find_inner_meaning(api: Api, error: ErrorBody, prompt: str = "") -> Meaning | None:
    """Understand a failure that a 200 tells of; None where it says no more than that it failed."""
    for code, row in ((code, find_row(api, code)) for code in error.codes):
        if _is_telling(row):
            assert row is not None
            assert row.kind is not None
            return Meaning(row.kind, Evidence.CODE, code)
    status = next(iter(error.statuses), 200)
    kind = _hint(api, status, error, prompt)
    if kind is not None:
        return Meaning(kind, Evidence.WORDS, next(iter(error.codes), None))
    for code, row in ((code, find_row(api, code)) for code in error.codes):
        if row is not None and row.kind is not None:
            return Meaning(row.kind, Evidence.CODE, code)
    if status in STATUSES:
        return Meaning(kind_of_status(status), Evidence.STATUS, next(iter(error.codes), str(status)))
    return None


def kind_of_status(status: int) -> FaultKind:
    """Statuses without a row: 4xx are the request's, 5xx the server's; a redirect or a strange 2xx is no answer."""
    if status in STATUSES:
        return STATUSES[status]
    if status >= SERVER_ERRORS:
        return FaultKind.SERVER_ERROR
    return FaultKind.INVALID_REQUEST if status >= 400 else FaultKind.BAD_ANSWER  # noqa: PLR2004  HTTP's own number


def _is_telling(row: CodeRow | None) -> bool:
    return row is not None and row.kind is not None and not row.is_vague


def _hint(api: Api, status: int, error: ErrorBody, prompt: str) -> FaultKind | None:
    """What the wording hints at; nothing where it repeats the prompt, whose words are not the provider's."""
    if error.is_page and status in EDGES:
        return None
    unknown = [code for code in error.codes if find_row(api, code) is None]
    message = " \n".join(text for text in error.sentences if not repeats(text, prompt))
    return find_hint(read_wording(status, message, unknown, error.params, waits=bool(error.waits)))


def _is_unfamiliar(status: int, error: ErrorBody, *, known: bool) -> bool:
    """Whether we only guess: the status has no row, or none of the codes is in any table."""
    return (status not in STATUSES and status not in USUAL) or (bool(error.codes) and not known)
