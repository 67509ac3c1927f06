"""``POST /v1/messages``: looks synchronous, is queued and waited for, whichever provider runs it."""

from collections.abc import Iterable

import orjson
from fastapi import APIRouter, Response
from starlette.types import Scope

from holdfast.api.anthropic.errors import error_body
from holdfast.api.auth.request_context import DirectRoute, Submitting
from holdfast.api.compatible.answer_body import answer_body
from holdfast.api.compatible.call_request import CallRequest, read_call
from holdfast.api.compatible.errors import demand_model
from holdfast.api.compatible.waiting_call import answer_call
from holdfast.api.problems import HttpProblem
from holdfast.client.ended_job import EndedJob
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.wire.anthropic.stream import PING, write_stream, write_stream_error
from holdfast.wire.endpoints import MESSAGES

router = APIRouter(tags=["anthropic"], route_class=DirectRoute)


class MessageWriter:
    """Writes the answers to one call."""

    keep_alive = PING

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def body(self, ended: EndedJob) -> bytes:
        return answer_body(ended, Api.ANTHROPIC)

    def events(self, _call: CallRequest, body: bytes) -> Iterable[bytes]:
        return write_stream(body)

    def failed_event(self, problem: HttpProblem) -> bytes:
        return write_stream_error(error_body(self._scope, problem.status, problem))


@router.post("/messages", response_class=Response)
async def create(context: Submitting) -> Response:
    """Create a message, as ``messages.create`` and ``messages.stream`` of Anthropic's SDK do, also in its beta.

    The call becomes an interactive job and waits for its end, as long as its client does. Sent again after it was given
    up, it finds the same job. With ``"stream": true`` the whole answer comes as the events of a stream.
    """
    return await answer_call(
        context, await read_call(context.request, context.caller.name), MessageWriter(context.request.scope)
    )


@router.post("/messages/count_tokens", response_class=Response)
async def count_tokens(context: Submitting) -> Response:
    """Count the tokens of a request, as its provider does where that can be asked at once.

    Else it is an estimate, and header ``x-holdfast-estimate: true`` says so.
    """
    call = await read_call(context.request, context.caller.name)
    demand_model(context.settings, call.model)
    asked = WrittenRequest(Api.ANTHROPIC, MESSAGES.path, call.body, call.headers)
    count = await context.app_state.token_counter.count(asked, context.settings.plan(call.model))
    headers = {"x-holdfast-estimate": "true"} if count.estimated else {}
    return Response(orjson.dumps({"input_tokens": count.input_tokens}), 200, headers, "application/json")
