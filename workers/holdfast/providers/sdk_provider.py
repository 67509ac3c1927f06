"""The adapter: one call through an official SDK's client, translated on the way in and on the way out."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx2
import orjson

from holdfast.model.call_result import CallResult
from holdfast.model.errors import Unmappable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.json_bounds import MOST_BRACKETS, has_too_many_brackets
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request, Text, ToolResult
from holdfast.model.route import Api, Dialect
from holdfast.policy.token_estimate import estimate, text_tokens
from holdfast.providers.ambient_login import NoAmbientLogin
from holdfast.providers.clients import OpenedClient
from holdfast.providers.port import Refusal
from holdfast.providers.transport import ATTEMPT, HEADERS, NoAnswer, Transport
from holdfast.testing import Clock
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.faults import read_bad_answer, read_fault, refuses, request_id
from holdfast.wire.limits import read_limits
from holdfast.wire.strictness import demand_exact

OK = 200
LIKELY_CUT = 0.4  # of our estimate; a server that counted less has hardly read the whole prompt
LONG = 2_000  # tokens; servers that cut have room for more than that
SHORTEST = 0.001  # seconds for a call whose login took all of its time


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format: where its calls go, how they are written and read. ``cuts``: see ``ServerProfile``."""

    path: str
    write: Callable[[Request, str], tuple[dict[str, Any], MappingReport]]
    read: Callable[[Any], Reply]
    cuts: bool = False


def format_of(api: Api, base_url: str, dialect: Dialect | None = None) -> Format:
    if api.wire is Api.ANTHROPIC:
        return Format("/v1/messages", anthropic.write_request, anthropic.read_reply)
    if api.wire is Api.OPENAI_RESPONSES:
        return Format("/responses", responses.write_request, responses.read_reply)
    profile = CLOUD_PROFILES.get(api) or chat.profile_of(base_url, dialect)
    write = partial(chat.write_request, profile=profile)
    return Format("/chat/completions", write, chat.read_reply, profile.cuts)


CLOUD_PROFILES: Mapping[Api, chat.ServerProfile] = {Api.AZURE_OPENAI: chat.AZURE, Api.OPENAI_BEDROCK: chat.OPENAI}


class SdkProvider:
    """One credential. Safe to share between the coroutines of one event loop."""

    def __init__(self, opened: OpenedClient, transport: Transport, api: Api, format_: Format, clock: Clock) -> None:
        self._opened, self._transport, self._api, self._format = opened, transport, api, format_
        self._clock = clock  # dates in answers are counted from it

    async def complete(
        self, model: str, request: Request, *, deadline: float, tag: str, refusal: Refusal | None = None
    ) -> CallResult:
        """Make one call, at most ``deadline`` seconds in all. Every failure is a fault in the answer."""
        try:
            written, report = self._format.write(request, model)
            demand_exact(request, self._api, report)
            body = orjson.dumps(written)
        except Unmappable as error:
            return CallResult(Fault(FaultKind.UNMAPPABLE, str(error)))
        except orjson.JSONEncodeError as error:
            return CallResult(Fault(FaultKind.UNMAPPABLE, f"the request cannot be written as JSON: {error}"))
        began = time.perf_counter()
        try:
            if self._opened.login:
                await self._log_in(deadline)
            left = max(SHORTEST, deadline - (time.perf_counter() - began))
            with self._transport.guarded(tag, refusal):
                response = await self._post(written if self._opened.as_fields else body, left, tag)
        except NoAnswer as error:
            outcome: Reply | Fault = Fault(error.kind, error.why, ambiguous=_ambiguous(error))
            return CallResult(outcome, report, seconds=time.perf_counter() - began)
        seconds = time.perf_counter() - began
        headers: Mapping[str, str] = response.extensions[HEADERS]
        outcome = self._understand(request, response, headers)
        if isinstance(outcome, Fault):
            outcome = replace(outcome, mapped=True) if report.notes else outcome
        elif self._format.cuts:
            report = suspect_cut(request, outcome.usage, report)
        return CallResult(outcome, report, read_limits(headers, self._clock.now()), seconds)

    async def _log_in(self, deadline: float) -> None:
        """Make the machine's own login ready. Raises NoAnswer."""
        assert self._opened.login
        try:
            async with asyncio.timeout(deadline):
                await self._opened.login.ready()
        except NoAmbientLogin as error:
            raise NoAnswer(FaultKind.NO_TOKEN, str(error), sent=False) from error
        except TimeoutError as error:
            raise NoAnswer(FaultKind.NO_TOKEN, "no login within the deadline", sent=False) from error

    async def _post(self, body: bytes | dict[str, Any], deadline: float, tag: str) -> httpx2.Response:
        """Send ``body`` through the SDK. Returns any answer whatever its status. Raises NoAnswer."""
        given = {"content": body} if isinstance(body, bytes) else {"body": body}
        try:
            answer: httpx2.Response = await self._opened.client.post(
                self._format.path,
                cast_to=httpx2.Response,
                options={"headers": {ATTEMPT: tag, **self._opened.headers}, "timeout": deadline},
                **given,
            )
        except Exception as error:
            if self._opened.as_fields and isinstance(error, ValueError):  # a model's name that cannot stand in a path
                raise NoAnswer(FaultKind.UNMAPPABLE, f"the SDK refused: {error}"[:200], sent=False) from error
            response = getattr(error, "response", None)  # both SDKs' APIStatusError
            if isinstance(response, httpx2.Response):
                return response
            if isinstance(error.__cause__, NoAnswer):  # both SDKs' APIConnectionError
                raise error.__cause__ from error
            raise
        return answer

    def _understand(self, request: Request, response: httpx2.Response, headers: Mapping[str, str]) -> Reply | Fault:
        if refuses(self._api, response.status_code, headers, response.content):
            usage = Usage(input=estimate(request).input_tokens, estimated=True)  # a filtered prompt is billed
            request_name = request_id(headers)
            return Reply(text="", finish=Finish.REFUSED, usage=usage, model="", provider_request_id=request_name)
        if response.status_code != OK:
            prompt = " ".join(_texts(request))
            return read_fault(
                self._api, response.status_code, headers, response.content, now=self._clock.now(), prompt=prompt
            )
        try:
            reply = self._format.read(_parsed(response.content, headers))
        except BadAnswer as error:
            return read_bad_answer(self._api, error, headers, body=response.content, now=self._clock.now())
        told = {"provider_request_id": request_id(headers)}
        return reply.model_copy(update=told | ({"usage": _guess(request, reply)} if reply.usage.estimated else {}))

    async def close(self) -> None:
        await self._opened.client.close()


def _ambiguous(error: NoAnswer) -> bool:
    """A bad answer is an answer: that call has run. A cut one, nobody knows."""
    return error.sent and error.kind is not FaultKind.BAD_ANSWER


def _parsed(body: bytes, headers: Mapping[str, str]) -> Any:
    if has_too_many_brackets(body):
        raise BadAnswer(f"the answer holds more than {MOST_BRACKETS} brackets.")  # parsing them would hold up all calls
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        kind = headers.get("content-type", "no type").split(";")[0][:50]
        raise BadAnswer(f"the answer is no JSON: {len(body)} bytes of {kind}.") from None


def _guess(request: Request, reply: Reply) -> Usage:
    """Usage where the provider sent none."""
    spoken = reply.text + "".join(orjson.dumps(call.input).decode() for call in reply.tool_calls)
    return Usage(input=estimate(request).input_tokens, output=max(1, round(text_tokens(spoken))), estimated=True)


def suspect_cut(request: Request, usage: Usage, report: MappingReport) -> MappingReport:
    """Note where a server counted far fewer tokens than were sent: some cut a long prompt and say nothing."""
    sent = estimate(request).input_tokens
    if usage.estimated or sent < LONG or usage.input > LIKELY_CUT * sent:
        return report
    note = f"perhaps cut by the server: it counted {usage.input} tokens where about {sent} were sent"
    return replace(report, notes=(*report.notes, MappingNote("turns", note)))


def _texts(request: Request) -> Iterator[str]:
    """The words of a prompt, for keeping them out of errors."""
    yield request.system or ""
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, Text):
                yield part.text
            elif isinstance(part, ToolResult):
                yield from (inner.text for inner in part.parts if isinstance(inner, Text))
