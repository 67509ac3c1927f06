"""Calls of OpenAI's API that look synchronous: chat completions, responses, embeddings, completions, moderations."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from holdfast.api.auth.request_context import DirectRoute, RequestContext, Submitting
from holdfast.api.compatible.answer_body import answer_body
from holdfast.api.compatible.call_request import CallRequest, read_call
from holdfast.api.compatible.waiting_call import answer_call
from holdfast.api.openai.errors import error_object
from holdfast.api.problems import HttpProblem
from holdfast.client.ended_job import EndedJob
from holdfast.model.route import Api
from holdfast.wire.chat.stream import write_stream as write_chat_stream
from holdfast.wire.responses.stream import write_stream as write_responses_stream
from holdfast.wire.server_sent_events import KEEP_ALIVE, write_event

RESPONSES = "/v1/responses"

router = APIRouter(tags=["openai"], route_class=DirectRoute)


@dataclass(frozen=True, slots=True)
class OpenaiWriter:
    """Writes answers to calls of one path as OpenAI's API does."""

    path: str
    keep_alive: bytes = KEEP_ALIVE

    def body(self, ended: EndedJob) -> bytes:
        wanted = Api.OPENAI_RESPONSES if self.path == RESPONSES else Api.OPENAI_CHAT
        return answer_body(ended, wanted)

    def events(self, call: CallRequest, body: bytes) -> Iterable[bytes]:
        if self.path == RESPONSES:
            return write_responses_stream(body)
        options = call.parsed.get("stream_options")
        wants_usage = isinstance(options, dict) and options.get("include_usage") is True
        return write_chat_stream(body, usage=wants_usage)

    def failed_event(self, problem: HttpProblem) -> bytes:
        return write_event({"error": error_object(problem.status, problem)})


async def answer(context: RequestContext) -> Response:
    call = await read_call(context.request, context.caller.name)
    return await answer_call(context, call, OpenaiWriter(call.path))


@router.post("/chat/completions")
async def create_chat_completion(context: Submitting) -> Response:
    """Answer a conversation. Queues and waits: an outage of a provider is no error."""
    return await answer(context)


@router.post("/responses")
async def create_response(context: Submitting) -> Response:
    """Answer a request of the Responses API. Queues and waits."""
    return await answer(context)


@router.post("/embeddings")
async def create_embeddings(context: Submitting) -> Response:
    """Embed texts, on routes that have embeddings. Queues and waits."""
    return await answer(context)


@router.post("/completions")
async def create_completion(context: Submitting) -> Response:
    """Continue a text, on routes that have the older completions. Queues and waits."""
    return await answer(context)


@router.post("/moderations")
async def create_moderation(context: Submitting) -> Response:
    """Classify texts, on routes that have moderations. Queues and waits."""
    return await answer(context)
