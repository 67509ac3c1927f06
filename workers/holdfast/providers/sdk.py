"""The adapter: one call through an official SDK's client, translated on the way in and on the way out."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2
import orjson

from holdfast.dialect import anthropic, chat, responses
from holdfast.dialect.bad_answer import BadAnswer
from holdfast.dialect.faults import read_bad_answer, read_fault, request_id
from holdfast.dialect.limits import read_limits
from holdfast.dialect.strictness import demand_exact
from holdfast.model.answer import Answer
from holdfast.model.errors import Unmappable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Receipt
from holdfast.model.reply import Reply, Usage
from holdfast.model.request import Request, Text, ToolResult
from holdfast.model.route import Api
from holdfast.policy.estimate import estimate, text_tokens
from holdfast.providers.wire import HEADERS, NoAnswer

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

OK = 200


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format: where its calls go, how they are written and read."""

    path: str
    write: Callable[[Request, str], tuple[dict[str, Any], Receipt]]
    read: Callable[[Any], Reply]


def format_of(api: Api, base_url: str) -> Format:
    if api is Api.ANTHROPIC:
        return Format("/v1/messages", anthropic.write_request, anthropic.read_reply)
    if api is Api.OPENAI_RESPONSES:
        return Format("/responses", responses.write_request, responses.read_reply)
    write = partial(chat.write_request, flavour=chat.flavour_of(base_url))
    return Format("/chat/completions", write, chat.read_reply)


class SdkProvider:
    """One credential. Safe to share between the coroutines of one event loop."""

    def __init__(self, client: "AsyncAnthropic | AsyncOpenAI", api: Api, base_url: str) -> None:
        self._client, self._api = client, api
        self._format = format_of(api, base_url)

    async def complete(self, model: str, request: Request, *, deadline: float, tag: str) -> Answer:
        """Make one call, at most ``deadline`` seconds in all. Every failure is a fault in the answer."""
        try:
            written, receipt = self._format.write(request, model)
            demand_exact(request, self._api, receipt)
            body = orjson.dumps(written)
        except Unmappable as error:
            return Answer(Fault(FaultKind.UNMAPPABLE, str(error)))
        except orjson.JSONEncodeError as error:
            return Answer(Fault(FaultKind.UNMAPPABLE, f"the request cannot be written as JSON: {error}"))
        began = time.perf_counter()
        try:
            response = await self._post(body, deadline, tag)
        except NoAnswer as error:
            outcome: Reply | Fault = Fault(error.kind, error.why, ambiguous=_ambiguous(error))
            return Answer(outcome, receipt, seconds=time.perf_counter() - began)
        seconds = time.perf_counter() - began
        headers: Mapping[str, str] = response.extensions[HEADERS]
        outcome = self._understand(request, response, headers)
        if isinstance(outcome, Fault) and receipt.changes:
            outcome = replace(outcome, mapped=True)
        return Answer(outcome, receipt, read_limits(headers, time.time()), seconds)

    async def _post(self, body: bytes, deadline: float, tag: str) -> httpx2.Response:
        """Send ``body`` through the SDK. Returns any answer whatever its status. Raises NoAnswer."""
        try:
            return await self._client.post(
                self._format.path,
                cast_to=httpx2.Response,
                content=body,
                options={"headers": {"x-holdfast-attempt": tag}, "timeout": deadline},
            )
        except Exception as error:
            response = getattr(error, "response", None)  # both SDKs' APIStatusError
            if isinstance(response, httpx2.Response):
                return response
            if isinstance(error.__cause__, NoAnswer):  # both SDKs' APIConnectionError
                raise error.__cause__ from error
            raise

    def _understand(self, request: Request, response: httpx2.Response, headers: Mapping[str, str]) -> Reply | Fault:
        if response.status_code != OK:
            prompt = " ".join(_texts(request))
            return read_fault(
                self._api, response.status_code, headers, response.content, now=time.time(), prompt=prompt
            )
        try:
            reply = self._format.read(_parsed(response.content, headers))
        except BadAnswer as error:
            return read_bad_answer(self._api, error, headers)
        told = {"provider_request_id": request_id(headers)}
        return reply.model_copy(update=told | ({"usage": _guess(request, reply)} if reply.usage.estimated else {}))

    async def close(self) -> None:
        await self._client.close()


def _ambiguous(error: NoAnswer) -> bool:
    """A bad answer is an answer: that call has run. A cut one, nobody knows."""
    return error.sent and error.kind is not FaultKind.BAD_ANSWER


def _parsed(body: bytes, headers: Mapping[str, str]) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        kind = headers.get("content-type", "no type").split(";")[0][:50]
        raise BadAnswer(f"the answer is no JSON: {len(body)} bytes of {kind}.") from None


def _guess(request: Request, reply: Reply) -> Usage:
    """Usage where the provider sent none."""
    spoken = reply.text + "".join(orjson.dumps(call.input).decode() for call in reply.tool_calls)
    return Usage(input=estimate(request).input_tokens, output=max(1, round(text_tokens(spoken))), estimated=True)


def _texts(request: Request) -> Iterator[str]:
    """The words of a prompt, for keeping them out of errors."""
    yield request.system or ""
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, Text):
                yield part.text
            elif isinstance(part, ToolResult):
                yield from (inner.text for inner in part.parts if isinstance(inner, Text))
