"""One simulated provider: real HTTP on the loopback interface, four wire formats, limits, faults and a log."""

import asyncio
import random
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_request import BaseRequest
from pydantic import ValidationError

from holdfast.lab.providers.calls import SeenCall, count, timeline
from holdfast.lab.providers.fault_responses import FAULT_RESPONSES, Exchange, answer
from holdfast.lab.providers.faults import FaultSchedule, is_refusing, refusal
from holdfast.lab.providers.limiter import RateLimits
from holdfast.lab.providers.poll_clock import PollClock
from holdfast.lab.providers.prompt import ErrorAnswer, Prompt, RequestRefused, SimAnswer, think, wrong
from holdfast.lab.providers.settings import InjectedFault, Script, SimSettings
from holdfast.lab.providers.wire_format import WIRE_FORMATS, WireFormat
from holdfast.testing import Clock

TAG = "x-holdfast-attempt"
BODY_LIMIT = 256 << 20  # bytes, the larger of the two providers' own limits
BACKLOG = 4096  # connections that may knock at once
GOODBYE = 0.05  # seconds that calls in flight get when the provider stops


class SimProvider:
    """A simulated provider, to be used as ``async with SimProvider(settings) as sim: … sim.url``.

    One event loop owns it. OpenAI clients use ``sim.url + "/v1"``, Anthropic clients ``sim.url``.
    """

    def __init__(self, settings: SimSettings | None = None) -> None:
        self.settings, self._clock = settings or SimSettings(), Clock.from_environment()
        self.url = ""
        self._controls: Mapping[tuple[str, str], Callable[[Any], Any]] = {
            ("POST", "/sim/break"): lambda body: self.break_(InjectedFault.model_validate(body)),
            ("POST", "/sim/heal"): lambda _: self.heal(),
            ("POST", "/sim/script"): lambda body: self.play(Script.model_validate(body)),
            ("POST", "/sim/reset"): lambda _: self.reset(),
            ("POST", "/sim/settings"): self.change,
            ("GET", "/sim/counts"): lambda _: self.counts(),
            ("GET", "/sim/timeline"): lambda _: self.timeline(),
            ("GET", "/sim/calls"): lambda _: self.calls,
            ("POST", "/sim/calls"): lambda body: self.calls[body["after"] : body["after"] + body["at_most"]],
        }
        self._poll_clock = PollClock(self._clock.now)
        self.reset()

    # --- for the one who runs it -----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._http = web.Server(
            self._handle, request_factory=_request, handler_cancellation=True, access_log=None, tcp_keepalive=False
        )
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._http, self.settings.host, self.settings.port, backlog=BACKLOG)
        port = self._listener.sockets[0].getsockname()[1]
        self.url = f"http://{self.settings.host}:{port}"
        self._watching = asyncio.create_task(self._poll_clock.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.cancel()
        self._listener.close()
        await self._http.shutdown(GOODBYE)

    def break_(self, fault: InjectedFault) -> None:
        """Begin a fault. Several may hold at once; the first that matches a call decides."""
        self._faults.add(fault, self._clock.monotonic())

    def play(self, script: Script) -> None:
        """Fall ill and recover as ``script`` says, from now on; other faults wait until it is healed."""
        self._faults.play(script, self._clock.monotonic())

    def heal(self) -> None:
        """End every fault, and a script. Calls that hang already go on hanging."""
        self._faults.heal()

    def reset(self) -> None:
        """Forget every call and fault, and refill the buckets."""
        self.calls: list[SeenCall] = []
        self._number = 0
        self._faults = FaultSchedule(self.settings.seed)
        self._limiter = RateLimits(self.settings)
        self._chance = random.Random(self.settings.seed)  # noqa: S311  a seeded draw, so that a run can be repeated

    def change(self, new: Mapping[str, Any]) -> None:
        """Change some of the settings while it runs. The buckets start full where a limit is among them."""
        before = self.settings
        self.settings = SimSettings.model_validate({**before.model_dump(), **new})
        if RateLimits(self.settings).buckets.keys() != self._limiter.buckets.keys() or new.keys() & _LIMITS:
            self._limiter = RateLimits(self.settings)

    def counts(self) -> dict[str, Any]:
        return count(self.calls)

    def timeline(self) -> dict[str, Any]:
        return timeline(self.calls)

    # --- for its callers -------------------------------------------------------------------------------------------

    async def _handle(self, request: BaseRequest) -> web.StreamResponse:
        wire_format = WIRE_FORMATS.get(request.path)
        if wire_format is None:
            return await self._control(request)
        call = SeenCall(self._clock.now(), request.path, request.headers.get(TAG, ""), since=self._poll_clock.since)
        self.calls.append(call)
        self._number += 1
        exchange = Exchange(request, wire_format, call, self._number, {}, self._clock)
        try:
            response = await self._serve(exchange)
            call.status = exchange.label or str(response.status)
        except RequestRefused as refused:
            response = self._refuse(exchange, refused.refusal)
            call.status = str(response.status)
        finally:
            call.ended = self._clock.now()
            call.status = call.status or exchange.label or "abandoned"
        return response

    async def _serve(self, exchange: Exchange) -> web.StreamResponse:
        raw = await exchange.request.read()
        body = _json(raw)
        call, wire_format = exchange.call, exchange.wire_format
        call.model = str(body.get("model", ""))
        decision = self._faults.decide(call.path, call.model, self._clock.monotonic())
        fault = decision.fault
        if fault is not None and is_refusing(fault):
            return await self._fail(exchange, fault)
        self._check_key(exchange.request)
        prompt = self._read(wire_format, body)
        answer_ = think(prompt, len(raw))
        self._let_in(exchange, prompt, answer_)
        await asyncio.sleep(self._clock.real(self._chance.uniform(*(decision.latency or self.settings.latency))))
        call.executed = True
        call.input_tokens, call.output_tokens = answer_.input_tokens, answer_.output_tokens
        exchange.body = wire_format.write(prompt.model, answer_, exchange.number)
        exchange.headers = self._headers(exchange)
        if fault is not None:
            return await FAULT_RESPONSES[fault.mode](exchange, fault)
        return answer(exchange, exchange.body)

    def _check_key(self, request: BaseRequest) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")
        known = self.settings.keys
        if not given or (known is not None and given not in known):
            raise RequestRefused(ErrorAnswer(401, "The API key is missing or not valid."))

    def _read(self, wire_format: WireFormat, body: Mapping[str, Any]) -> Prompt:
        try:
            prompt = wire_format.read(body)
        except (AttributeError, KeyError, TypeError) as error:  # a shape so wrong that reading it tripped
            raise wrong(f"The request's shape is invalid: {error!r}") from error
        if self.settings.models is not None and prompt.model not in self.settings.models:
            raise RequestRefused(ErrorAnswer(404, f"model: {prompt.model}"))
        return prompt

    def _let_in(self, exchange: Exchange, prompt: Prompt, answer_: SimAnswer) -> None:
        refused_by = self._limiter.take(exchange.wire_format.costs(prompt, answer_), self._clock.monotonic())
        if refused_by is not None:
            message = f"Rate limit reached for {refused_by.replace('_', ' ')}."
            raise RequestRefused(ErrorAnswer(429, message, retry_after=self.settings.retry_after))
        exchange.call.admitted = True

    async def _fail(self, exchange: Exchange, fault: InjectedFault) -> web.StreamResponse:
        if fault.delay:
            await asyncio.sleep(self._clock.real(fault.delay))
        refusal_ = refusal(fault, exchange.wire_format, self.settings.retry_after)
        if refusal_ is not None:
            return self._refuse(exchange, refusal_)
        exchange.headers = self._headers(exchange)
        return await FAULT_RESPONSES[fault.mode](exchange, fault)

    def _refuse(self, exchange: Exchange, refused: ErrorAnswer) -> web.Response:
        exchange.headers = self._headers(exchange)
        if refused.retry_after is not None:
            exchange.headers["retry-after"] = f"{refused.retry_after:g}"
        request_id = exchange.headers[exchange.wire_format.REQUEST_ID]
        return answer(exchange, exchange.wire_format.error(refused, request_id), refused.status)

    def _headers(self, exchange: Exchange) -> dict[str, str]:
        headers = {exchange.wire_format.REQUEST_ID: f"req_sim{exchange.number:08x}"}
        if self.settings.headers:
            headers.update(exchange.wire_format.limit_headers(self._limiter.buckets, self._clock.now()))
        return headers

    async def _control(self, request: BaseRequest) -> web.Response:
        act = self._controls.get((request.method, request.path))
        if act is None:
            return _reply({"error": f"there is no {request.method} {request.path} here"}, 404)
        try:
            raw = await request.read()
            said = act(orjson.loads(raw) if raw else {})
        except (ValidationError, orjson.JSONDecodeError, TypeError) as error:
            return _reply({"error": str(error)}, 422)
        return _reply({"ok": True} if said is None else said)


_LIMITS = {"rate", "burst", "input_tokens_per_minute", "output_tokens_per_minute", "token_burst"}


def _request(message: RawRequestMessage, payload: Any, protocol: Any, writer: Any, task: Any) -> BaseRequest:
    loop = asyncio.get_running_loop()
    return BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise wrong(f"The body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise wrong("The body must be a JSON object.")
    return body


def _reply(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
