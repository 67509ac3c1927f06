"""From an answer that is no reply to a fault."""

from collections.abc import Mapping, Sequence

from holdfast.model.fault import Evidence, Fault, FaultKind
from holdfast.model.route import Api
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.codes import find_row
from holdfast.wire.faults.ceilings import find_ceiling
from holdfast.wire.faults.error_body import ErrorBody, parse, read_error_body, read_inner_error
from holdfast.wire.faults.meaning import Meaning, find_inner_meaning, find_meaning
from holdfast.wire.faults.named_part import names_part
from holdfast.wire.redact import redact
from holdfast.wire.retry_after import retry_after

REQUEST_IDS = ("request-id", "x-request-id", "x-amzn-requestid", "apim-request-id", "x-goog-request-id", "cf-ray")
LIMITED = frozenset({FaultKind.RATE_LIMITED, FaultKind.RAMP_LIMITED})
LIMITING = frozenset({429, 503, 529})  # statuses beside which words and the state of limits say when to come again


def read_fault(
    api: Api, status: int, headers: Mapping[str, str], body: bytes, *, now: float = 0.0, prompt: str = ""
) -> Fault:
    """Understand an answer that is no 200. That of a content filter is of kind ``refused``.

    Args:
        api: Whose tables of codes are looked into first.
        status: HTTP status.
        headers: Names in lower case.
        body: As it came; may be cut, empty, HTML, anything.
        now: Seconds since the epoch, for dates in headers where the answer itself carries none.
        prompt: Text of the request, so that none of it is repeated in the fault's message.
    """
    error = _read(headers, body)
    meaning = find_meaning(api, status, error, prompt)
    return Fault(
        meaning.kind,
        message=redact(status, [meaning.code] if meaning.code else [], error.message, prompt),
        status=status,
        code=meaning.code,
        retry_after=_wait(headers, error, status, meaning, now),
        provider_request_id=request_id(headers),
        unfamiliar=meaning.unfamiliar,
        evidence=meaning.evidence,
        wrong_everywhere=meaning.wrong_everywhere,
        is_page=error.is_page,
        output_ceiling=find_ceiling(error.message),
        names_part=meaning.kind is FaultKind.INVALID_REQUEST and names_part(error),
    )


def read_bad_answer(
    api: Api,
    error: BadAnswer,
    headers: Mapping[str, str],
    status: int = 200,
    *,
    body: bytes = b"",
    now: float = 0.0,
    prompt: str = "",
) -> Fault:
    """Understand a 200 without a usable reply. A failure told inside it keeps its meaning where it is a known one.

    Args:
        api: Whose tables of codes are looked into first.
        error: Why there is no reply.
        headers: Names in lower case.
        status: HTTP status.
        body: As it came, so that all it says of a failure is read.
        now: Seconds since the epoch.
        prompt: Text of the request.
    """
    told = read_inner_error(parse(body)) if body else ErrorBody()
    _add(told, error)
    meaning = find_inner_meaning(api, told, prompt) or Meaning(error.kind, Evidence.STATUS, error.provider_code)
    said = redact(status, [], told.message, prompt).removeprefix(str(status)).removeprefix(": ")
    return Fault(
        meaning.kind,
        message=error.why + (f" It said: {said}" if said else ""),
        status=status,
        code=meaning.code,
        retry_after=_wait(headers, told, status, meaning, now),
        provider_request_id=request_id(headers),
        unfamiliar=meaning.kind is FaultKind.BAD_ANSWER and bool(told.codes) and not _is_known(api, told.codes),
        evidence=meaning.evidence,
    )


def refuses(api: Api, status: int, headers: Mapping[str, str], body: bytes, prompt: str = "") -> bool:
    """Whether an error says that the prompt itself was turned away by a content filter: an answer, no failure."""
    is_error = status >= 400  # noqa: PLR2004  HTTP's own number
    return is_error and find_meaning(api, status, _read(headers, body), prompt).kind is FaultKind.REFUSED


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's own name for a call, for its support."""
    return next((headers[name][:200] for name in REQUEST_IDS if name in headers), None)


def _read(headers: Mapping[str, str], body: bytes) -> ErrorBody:
    error = read_error_body(body, headers)
    if "html" in headers.get("content-type", "").lower():
        error.is_page = True
    return error


def _add(told: ErrorBody, error: BadAnswer) -> None:
    """What the reader of the reply found, which may know places of its format that nobody else does."""
    if error.provider_code:
        if error.provider_code.isdecimal() and len(error.provider_code) == len("503"):
            told.statuses.append(int(error.provider_code))
        else:
            told.name(error.provider_code)
    if error.told:
        told.say(error.told)


def _wait(headers: Mapping[str, str], error: ErrorBody, status: int, meaning: Meaning, now: float) -> float | None:
    limited = status in LIMITING or meaning.kind in LIMITED
    return retry_after(headers, now, told=error.waits, message=error.message, daily=error.daily, limited=limited)


def _is_known(api: Api, codes: Sequence[str]) -> bool:
    return any(find_row(api, code) is not None for code in codes)
