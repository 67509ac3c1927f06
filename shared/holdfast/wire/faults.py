"""What a provider's refusal means: its body is read, and looked up in the tables of ``codes``.

The code decides before the status does: one 429 means "slow down", another "pay".
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.route import Api
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.codes import CODES, PLAIN, REFUSALS, STATUSES, USUAL, WORDS
from holdfast.wire.redact import redact
from holdfast.wire.retry_after import retry_after, spoken_delay

CDN = frozenset({400, 403, 405})  # in HTML these come from what stands before the API, and say nothing of the job
SERVER_ERRORS = 500
REQUEST_IDS = ("request-id", "x-request-id", "x-amzn-requestid", "apim-request-id", "cf-ray")


def read_fault(
    api: Api, status: int, headers: Mapping[str, str], body: bytes, *, now: float = 0.0, prompt: str = ""
) -> Fault:
    """Understand an answer that is no 200.

    Args:
        api: Whose table of codes holds.
        status: HTTP status.
        headers: Names in lower case.
        body: As it came; may be cut, empty, HTML, anything.
        now: Seconds since the epoch, for dates in headers where the answer itself carries none.
        prompt: Text of the request, so that none of it is repeated in the fault's message.
    """
    error = read_error(body)
    codes = [*_amazon_code(headers), *_codes(error)]
    message = str(error.get("message") or "")
    kind = _kind(api, status, codes, message, is_html=_is_html(headers, body))
    return Fault(
        kind,
        message=redact(status, codes, message, prompt),
        status=status,
        code=codes[0] if codes else None,
        retry_after=_patience(headers, error, message, status, now),
        provider_request_id=request_id(headers),
        unfamiliar=_unfamiliar(api, status, codes),
    )


def read_bad_answer(api: Api, error: BadAnswer, headers: Mapping[str, str], status: int = 200) -> Fault:
    """Understand a 200 without a usable reply. A failure told inside it keeps its meaning where its code is known."""
    code = error.provider_code or ""
    known = STATUSES.get(int(code)) if _is_status(code) else CODES[api].get(code)
    kind = known or _by_words(status, error.told) or error.kind
    codes = [error.provider_code] if error.provider_code else []
    return Fault(
        kind,
        message=error.why,
        status=status,
        code=error.provider_code,
        provider_request_id=request_id(headers),
        unfamiliar=error.kind is FaultKind.BAD_ANSWER and bool(codes) and not _known(api, codes),
    )


def _kind(api: Api, status: int, codes: list[str], message: str, *, is_html: bool) -> FaultKind:
    if is_html and status in CDN:
        return FaultKind.SERVER_ERROR
    known = _by_words(status, message) or next((CODES[api][code] for code in codes if code in CODES[api]), None)
    return known or STATUSES.get(status, _by_class(status))


def _by_words(status: int, message: str) -> FaultKind | None:
    return next((kind for statuses, words, kind in WORDS if status in statuses and words.search(message)), None)


def refuses(status: int, body: bytes) -> bool:
    """Whether an error says that the prompt itself was turned away by a content filter: an answer, no failure."""
    return status in {400, 403} and not REFUSALS.isdisjoint(_codes(read_error(body)))


def _patience(
    headers: Mapping[str, str], error: Mapping[str, Any], message: str, status: int, now: float
) -> float | None:
    """What headers and details say; else, for a 429 alone, what the words say."""
    told = retry_after(headers, error.get("details") or error.get("metadata"), now)
    return spoken_delay(message) if told is None and status == 429 else told  # noqa: PLR2004  HTTP's own number


def _unfamiliar(api: Api, status: int, codes: list[str]) -> bool:
    """Whether we only guess: the status has no row, or none of the codes is in any table."""
    return (status not in STATUSES and status not in USUAL) or (bool(codes) and not _known(api, codes))


def _known(api: Api, codes: list[str]) -> bool:
    return any(code in CODES[api] or code in PLAIN or _is_status(code) for code in codes)


def _is_status(code: str) -> bool:
    """Some repeat the status where the code belongs."""
    return code.isdecimal() and len(code) == len("503")


def _by_class(status: int) -> FaultKind:
    """Statuses without a row: 4xx are the request's, 5xx the server's; a redirect or a strange 2xx is no answer."""
    if status >= SERVER_ERRORS:
        return FaultKind.SERVER_ERROR
    return FaultKind.INVALID_REQUEST if status >= 400 else FaultKind.BAD_ANSWER  # noqa: PLR2004  HTTP's own number


def read_error(body: bytes) -> Mapping[str, Any]:
    """The error object of a body in any of the known shapes; empty where there is none. Google sends an array."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    match parsed:
        case [{"error": dict(error)}, *_] | {"error": dict(error)}:
            return error
        case {"object": "error"}:  # vLLM before 0.10
            return dict(parsed)
        case {"error": str(message), **others} | {"message": str(message), **others}:
            return {"message": message, "type": others.get("__type"), "code": others.get("code")}
        case {"detail": str(message)}:
            return {"message": message}
    return {}


def _codes(error: Mapping[str, Any]) -> Iterator[str]:
    """Every code that the error carries, the most telling first."""
    details, inner, metadata = error.get("details"), error.get("innererror"), error.get("metadata")
    if isinstance(details, Mapping):
        yield from _text(details.get("error_code"))
    if isinstance(inner, Mapping):  # Azure
        yield from _text(inner.get("code"))
    if isinstance(metadata, Mapping):  # OpenRouter
        yield from ("moderation",) if "flagged_input" in metadata or "reasons" in metadata else ()
        yield from _text(metadata.get("error_type"))
    for detail in details if isinstance(details, list) else ():
        yield from _text(detail.get("reason")) if isinstance(detail, Mapping) else ()
    for key in ("code", "status", "type"):
        yield from (part.rpartition("#")[2] for part in _text(error.get(key)))  # AWS puts a namespace before


def _amazon_code(headers: Mapping[str, str]) -> Iterator[str]:
    yield from _text(headers.get("x-amzn-errortype", "").partition(":")[0])


def _text(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value[:100]


def request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name][:200] for name in REQUEST_IDS if name in headers), None)


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" in headers.get("content-type", "") or body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))
