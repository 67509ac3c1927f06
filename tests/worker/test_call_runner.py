"""A call that is abandoned ends at once, whatever its provider does; one that is over cannot be abandoned."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from holdfast.credentials import NoToken
from holdfast.lanes.permit_renewal import WHY_NOT
from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.errors import ConfigError, Unmappable
from holdfast.model.exception_fault import EXCEPTION
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request
from holdfast.model.route import Api, Route
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST
from holdfast.worker.call_runner import CallInFlight, CallRunner
from holdfast.worker.slow_calls import GIVEN_UP
from worker.workshop import PLAN, Workshop

ROUTE = Route("a", "m", Api.ANTHROPIC, "m", ("main",))
REPLY = Reply(text="yes", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
REFUSED = Reply(text="", finish=Finish.REFUSED, usage=Usage(input=1, output=1), model="m")
BROKEN = Fault(FaultKind.SERVER_ERROR)
UNSENT = Fault(FaultKind.UNMAPPABLE)


def in_flight(**request) -> CallInFlight:
    job = Claimed("j" * 32, "smart.batch", "smart", 1, 1, 1, 0, 0, 0, Need(5, 5), Request(turns=(), **request), None)
    return CallInFlight(Attempt(job, Permit("w/1:1", job.id, job.lane, "a/m", "main", {}), ROUTE, 1))


async def test_a_call_that_hangs_ends_when_it_is_abandoned_and_says_why():
    made, sent, cut = in_flight(), asyncio.Event(), asyncio.Event()

    async def hang() -> CallResult:
        sent.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()
        raise AssertionError

    waiting = asyncio.create_task(made.unless_abandoned(hang()))
    await sent.wait()
    made.abandon(GIVEN_UP)
    made.abandon(HEDGE_PRIMARY_LOST)  # the first reason stands
    assert (await waiting).outcome == GIVEN_UP
    assert cut.is_set()


async def test_whoever_stops_the_whole_attempt_stops_its_call_too():
    made = in_flight()
    waiting = asyncio.create_task(made.unless_abandoned(asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_call_that_is_over_is_not_abandoned():
    made = in_flight()
    made.over = True
    made.abandon(HEDGE_PRIMARY_LOST)
    assert made.abandoned is None


@dataclass
class Asking:
    """A provider that asks whether its call may leave, and then answers or breaks."""

    error: Exception | None = None
    outcome: Reply | Fault = REPLY
    said: list[str | None] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def client(self, route: Route, credential: str) -> "Asking":
        return self

    def login_refused(self, route: Route, credential: str, client: object) -> None:
        self.refused.append(credential)

    async def complete(self, model: str, request: Request, *, refusal, **_) -> CallResult:
        self.said.append(await refusal())
        if self.error is not None:
            raise self.error
        return CallResult(self.outcome)


class Monitor:
    """Remembers what calls said of credentials."""

    def __init__(self) -> None:
        self.said: list[tuple[str, FaultKind]] = []

    def record(self, name: str, kind: FaultKind) -> None:
        self.said.append((name, kind))


async def claimed(workshop: Workshop) -> CallInFlight:
    job, permit = await workshop.start()
    return CallInFlight(Attempt(job, permit, PLAN.routes[0], 1))


async def test_a_call_that_may_leave_has_left_as_far_as_anybody_knows(workshop: Workshop):
    call, provider = await claimed(workshop), Asking(ValueError())
    with pytest.raises(ValueError):
        await CallRunner(workshop.context, provider, Monitor()).run(call, PLAN)
    assert (provider.said, call.may_have_left, call.over) == ([None], True, True)


async def test_no_call_leaves_under_a_lease_that_ran_out(workshop: Workshop):
    call, provider = await claimed(workshop), Asking()
    await workshop.context.lease.sign_on()  # this process was frozen, and goes on as another worker
    await CallRunner(workshop.context, provider, Monitor()).run(call, PLAN)
    assert provider.said == ["this worker's lease ran out before the call"]
    assert not call.may_have_left


async def test_no_call_leaves_once_another_of_its_limit_was_refused(
    workshop: Workshop,
):
    job, permit = await workshop.start()
    refused = Attempt(job, permit, PLAN.routes[0], 1, outcome=Fault(FaultKind.RATE_LIMITED, retry_after=1.0))
    workshop.context.gate.record_refusal(refused)
    call, provider = CallInFlight(replace(refused, outcome=None)), Asking()
    await CallRunner(workshop.context, provider, Monitor()).run(call, PLAN)
    assert (provider.said, call.may_have_left) == ([WHY_NOT["refused"]], False)


async def test_no_call_leaves_on_an_old_permit_while_redis_is_away(workshop: Workshop):
    call, provider = await claimed(workshop), Asking()
    call.attempt = replace(call.attempt, permit=replace(call.attempt.permit, asked_at=-1e6))
    workshop.server.connected = False
    await CallRunner(workshop.context, provider, Monitor()).run(call, PLAN)
    assert provider.said == ["its permit is old, and Redis cannot be asked for another"]
    assert not workshop.context.dependencies.redis


async def test_a_call_that_was_abandoned_before_it_began_is_not_made(workshop: Workshop):
    call, provider = await claimed(workshop), Asking()
    call.abandon(GIVEN_UP)
    result = await CallRunner(workshop.context, provider, Monitor()).run(call, PLAN)
    assert (result.outcome.kind, provider.said) == (FaultKind.INTERNAL, [])


async def test_a_refused_login_is_looked_after_and_told_of_its_credential(workshop: Workshop):
    call, provider, monitor = await claimed(workshop), Asking(outcome=Fault(FaultKind.AUTH)), Monitor()
    result = await CallRunner(workshop.context, provider, monitor).run(call, PLAN)
    assert result.outcome.kind is FaultKind.AUTH
    assert (provider.refused, monitor.said) == (["main"], [("anthropic/main", FaultKind.AUTH)])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoToken("issuer", "it is away"), FaultKind.NO_TOKEN),
        (Unmappable("chat", "it has no word for that"), FaultKind.UNMAPPABLE),
        (ConfigError(("no such provider",)), FaultKind.INTERNAL),
    ],
)
async def test_what_holdfast_knows_to_go_wrong_is_a_fault(workshop: Workshop, error: Exception, kind: FaultKind):
    result = await CallRunner(workshop.context, Asking(error), Monitor()).run(await claimed(workshop), PLAN)
    assert result.outcome.kind is kind


async def test_an_attempt_keeps_what_the_provider_brought_whatever_breaks_after_that(workshop: Workshop, monkeypatch):
    call = await claimed(workshop)
    runner = CallRunner(workshop.context, Asking(), Monitor())
    workshop.attempts.calls = runner
    monkeypatch.setattr(CallRunner, "_note_credential", lambda *_: {}["nothing"])
    attempt = await workshop.attempts._call(call, PLAN)
    assert (attempt.reply, attempt.fault.code, attempt.fault.ambiguous) == (REPLY, EXCEPTION, True)
