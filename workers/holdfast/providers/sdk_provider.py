"""The adapter: one call through an official SDK's client, translated on the way in and on the way out."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2

from holdfast.model import exact_json
from holdfast.model.call_result import CallResult, ProviderResponse
from holdfast.model.errors import Unmappable
from holdfast.model.exception_fault import exception_fault
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MappingNote, MappingReport
from holdfast.model.json_bounds import MOST_BRACKETS, has_too_many_brackets
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request, Text, ToolResult
from holdfast.policy.token_estimate import estimate, text_tokens
from holdfast.providers.ambient_login import NoAmbientLogin
from holdfast.providers.clients import OpenedClient
from holdfast.providers.outgoing import Format, OutgoingRequest, write_outgoing
from holdfast.providers.port import Refusal
from holdfast.providers.request_heads import RequestHeads, kind_of
from holdfast.providers.transport import ANSWER, ATTEMPT, HttpAnswer, NoAnswer, Transport
from holdfast.testing import Clock
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.faults import read_bad_answer, read_fault, refuses, request_id
from holdfast.wire.json_answer import unwrap_json
from holdfast.wire.limits import read_limits
from holdfast.wire.request_headers import BETAS, join_betas, travelling

OK = 200
MOST_OF_AN_ERROR = 16_384  # bytes of its body that are kept
LIKELY_CUT = 0.4  # of our estimate; a server that counted less has hardly read the whole prompt
LONG = 2_000  # tokens; servers that cut have room for more than that
SHORTEST = 0.001  # seconds for a call whose login took all of its time


class SdkProvider:
    """One credential. Safe to share between the coroutines of one event loop."""

    def __init__(self, opened: OpenedClient, transport: Transport, format_: Format, clock: Clock) -> None:
        self._opened, self._transport, self._format = opened, transport, format_
        self._clock = clock  # dates in answers are counted from it
        self._heads = RequestHeads() if opened.same_heads else None

    async def complete(
        self,
        model: str,
        request: Request,
        *,
        deadline: float,
        tag: str,
        refusal: Refusal | None = None,
        ceiling: int | None = None,
    ) -> CallResult:
        """Make one call, at most ``deadline`` seconds in all. Every failure is a fault in the answer."""
        try:
            outgoing = write_outgoing(self._format, model, request, ceiling)
        except Unmappable as error:
            return CallResult(Fault(FaultKind.UNMAPPABLE, str(error)))
        began = time.perf_counter()
        try:
            if self._opened.login:
                await self._log_in(deadline)
                deadline = max(SHORTEST, deadline - (time.perf_counter() - began))
            answer = await self._post(outgoing, deadline, tag, refusal)
        except NoAnswer as error:
            outcome = Fault(error.kind, error.why, ambiguous=_ambiguous(error))
            return CallResult(outcome, outgoing.report, seconds=time.perf_counter() - began)
        seconds = time.perf_counter() - began
        try:
            return self._result(request, outgoing, answer, seconds)
        except Exception as error:  # noqa: BLE001  the call was made and is paid for: it is counted, and its answer kept
            fault = replace(exception_fault(error, sent=True), status=answer.status)
            return CallResult(fault, outgoing.report, seconds=seconds, response=_kept(answer, None))

    def _result(self, request: Request, outgoing: OutgoingRequest, answer: HttpAnswer, seconds: float) -> CallResult:
        report = outgoing.report
        outcome = self._understand(request, outgoing, answer)
        if isinstance(outcome, Fault):
            outcome = replace(outcome, mapped=True) if report.notes else outcome
        else:
            report = replace(report, notes=(*report.notes, *outcome.notes)) if outcome.notes else report
            if self._format.profile is not None and self._format.profile.cuts:
                report = suspect_cut(request, outcome.usage, report)
        limits = read_limits(answer.headers, self._clock.now())
        return CallResult(outcome, report, limits, seconds, _kept(answer, request_id(answer.headers)))

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

    async def _post(self, outgoing: OutgoingRequest, deadline: float, tag: str, refusal: Refusal | None) -> HttpAnswer:
        """Send a request under the head that the SDK has written for its kind. Raises NoAnswer."""
        kind = kind_of(outgoing.path, outgoing.headers, deadline)
        if self._heads is not None and (head := self._heads.find(kind)):
            return await self._transport.exchange(head.call(tag, outgoing.pieces), deadline=deadline, refusal=refusal)
        with self._transport.guarded(tag, refusal):
            response = await self._post_by_sdk(outgoing, deadline, tag)
        if self._heads is not None:
            self._heads.keep(kind, response.request)
        answer: HttpAnswer = response.extensions[ANSWER]
        return answer

    async def _post_by_sdk(self, outgoing: OutgoingRequest, deadline: float, tag: str) -> httpx2.Response:
        """Send a request through the SDK. Returns any answer whatever its status. Raises NoAnswer."""
        body = b"".join(outgoing.pieces)
        given = {"body": exact_json.loads(body)} if self._opened.as_fields else {"content": body}
        try:
            answer: httpx2.Response = await self._opened.client.post(
                outgoing.path,
                cast_to=httpx2.Response,
                options={"headers": self._headers(outgoing.headers, tag), "timeout": deadline},
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

    def _headers(self, written: Mapping[str, str], tag: str) -> dict[str, Any]:
        """The headers of one call. Those of this client win, for they log in; betas of both are sent."""
        own = self._opened.headers
        betas = join_betas(written.get(BETAS), own.get(BETAS))
        return {**travelling(written), ATTEMPT: tag, **own, **({BETAS: betas} if betas else {})}

    def _understand(self, request: Request, outgoing: OutgoingRequest, answer: HttpAnswer) -> Reply | Fault:
        api, status, headers, body = self._format.api, answer.status, answer.headers, answer.body
        now = self._clock.now()
        if status != OK:
            prompt = " ".join(_texts(request))
            fault = read_fault(api, status, headers, body, now=now, prompt=prompt)
            return _refused(request, fault) if refuses(api, status, headers, body, prompt) else fault
        try:
            reply = unwrap_json(request, outgoing.read(_parsed(body, headers)))
        except BadAnswer as error:
            prompt = " ".join(_texts(request))
            fault = read_bad_answer(api, error, headers, body=body, now=now, prompt=prompt)
            return _refused(request, fault) if fault.kind is FaultKind.REFUSED else fault
        told = {"provider_request_id": request_id(headers)}
        return reply.model_copy(update=told | ({"usage": _guess(request, reply)} if reply.usage.estimated else {}))

    async def close(self) -> None:
        await self._opened.client.close()


def _refused(request: Request, fault: Fault) -> Reply:
    """The answer of a filter that turned the prompt away, which is billed."""
    usage = Usage(input=estimate(request).input_tokens, estimated=True)
    return Reply(
        text="",
        finish=Finish.REFUSED,
        finish_word=fault.code,
        usage=usage,
        model="",
        provider_request_id=fault.provider_request_id,
    )


def _ambiguous(error: NoAnswer) -> bool:
    """A bad answer is an answer: that call has run. A cut one, nobody knows."""
    return error.sent and error.kind is not FaultKind.BAD_ANSWER


def _kept(answer: HttpAnswer, name: str | None) -> ProviderResponse | None:
    """The answer as it came; of an error as much as a person reads. None: an error without a word."""
    status, body = answer.status, answer.body
    if status != OK and not body:
        return None
    return ProviderResponse(status, body if status == OK else body[:MOST_OF_AN_ERROR], name)


def _parsed(body: bytes, headers: Mapping[str, str]) -> Any:
    if has_too_many_brackets(body):
        raise BadAnswer(f"the answer holds more than {MOST_BRACKETS} brackets.")  # parsing them would hold up all calls
    try:
        return exact_json.loads(body, lenient=True)
    except json.JSONDecodeError:
        kind = headers.get("content-type", "no type").split(";")[0][:50]
        raise BadAnswer(f"the answer is no JSON: {len(body)} bytes of {kind}.") from None


def _guess(request: Request, reply: Reply) -> Usage:
    """Usage where the provider sent none, or only a part of it that can be true."""
    told = reply.usage
    spoken = reply.text + reply.reasoning + "".join(exact_json.dumps(call.input).decode() for call in reply.tool_calls)
    output = max(1, round(text_tokens(spoken))) if spoken else 0
    guessed = {"input": told.input or estimate(request).input_tokens, "output": told.output or output}
    return told.model_copy(update=guessed)


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
    if request.written is not None and not request.turns:
        yield request.written.body.decode(errors="replace")
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, Text):
                yield part.text
            elif isinstance(part, ToolResult):
                yield from (inner.text for inner in part.parts if isinstance(inner, Text))
