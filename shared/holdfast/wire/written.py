"""Making the reading of a request as it was written: at the door, and again by whoever claims its job."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Request
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.wire import anthropic, chat, responses

# Endpoints whose bodies have a neutral form. A request to any other goes as it was written, to its own format alone.
READERS: Mapping[tuple[Api, str], Callable[[Mapping[str, Any], str], Request]] = {
    (Api.ANTHROPIC, "/v1/messages"): anthropic.read_request,
    (Api.OPENAI_CHAT, "/chat/completions"): chat.read_request,
    (Api.OPENAI_RESPONSES, "/responses"): responses.read_request,
}


def read_written(written: WrittenRequest, where: str = "") -> Request:
    """Return the reading of ``written``, which it holds. ``where`` is the place of the body, for errors.

    Raises: InvalidRequest: the body is no JSON object, or is wrong in a way that no provider could take.
    """
    try:
        body = exact_json.loads(written.body)
    except json.JSONDecodeError as error:
        raise InvalidRequest(where or "the request", f"is no JSON: {error.msg}.") from None
    if not isinstance(body, dict):
        raise InvalidRequest(where or "the request", "expected an object.")
    read = READERS.get((written.api, written.path))
    reading = read(body, where) if read else Request(turns=())
    return reading.model_copy(update={"written": written})


def reread(written: WrittenRequest) -> Request:
    """Return the reading of a request that was accepted, and never fail.

    Where the reader of today refuses what one of another version took, it can be sent as it was written all the same.
    """
    try:
        return read_written(written)
    except InvalidRequest as error:
        return Request(turns=(), unread=(f"the request ({error})",), written=written)
