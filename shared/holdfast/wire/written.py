"""Making the reading of a request as it was written: by the submit, and again by whoever claims its job."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Request
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.reading import refuse_depth

# Endpoints whose bodies have a neutral form. A request to any other goes as it was written, to its own format alone.
READERS: Mapping[tuple[Api, str], Callable[[Mapping[str, Any], str], Request]] = {
    (Api.ANTHROPIC, "/v1/messages"): anthropic.read_request,
    (Api.OPENAI_CHAT, "/chat/completions"): chat.read_request,
    (Api.OPENAI_RESPONSES, "/responses"): responses.read_request,
}


def read_written(written: WrittenRequest, where: str = "", body: Mapping[str, Any] | None = None) -> Request:
    """Return the reading of ``written``, which it holds. ``where`` is the place of the body, for errors.

    ``body`` is the body where it has been parsed already.

    Raises: InvalidRequest: the body is no JSON object, or is wrong in a way that no provider could take.
    """
    body = _parsed(written, where) if body is None else body
    read = READERS.get((written.api, endpoint_of(written)), _read_nothing)
    return read(body, where).model_copy(update={"written": written})


def endpoint_of(written: WrittenRequest) -> str:
    """Return the path that a request goes to, without its query."""
    return written.path.partition("?")[0]


def has_reading(written: WrittenRequest) -> bool:
    """Tell whether a request can be mapped to other formats; else it passes through to its own alone."""
    return (written.api, endpoint_of(written)) in READERS


def _parsed(written: WrittenRequest, where: str) -> Mapping[str, Any]:
    try:
        body = exact_json.loads(written.body)
    except json.JSONDecodeError as error:
        raise InvalidRequest(where or "the request", f"is no JSON: {error.msg}.") from None
    if not isinstance(body, dict):
        raise InvalidRequest(where or "the request", "expected an object.")
    return body


def _read_nothing(body: Mapping[str, Any], where: str) -> Request:
    """Read the body of an endpoint without a neutral form: what it may answer at most, and no more."""
    refuse_depth(body, where)
    most = body.get("max_tokens")
    is_count = isinstance(most, int) and not isinstance(most, bool) and most > 0
    return Request(turns=(), max_tokens=most if is_count else None)


def reread(written: WrittenRequest) -> Request:
    """Return the reading of a request that was accepted, and never fail.

    Where the reader of today refuses what one of another version took, it can be sent as it was written all the same.
    """
    try:
        return read_written(written)
    except InvalidRequest as error:
        return Request(turns=(), unread=(f"the request ({error})",), written=written)
