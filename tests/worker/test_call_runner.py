"""A call that is abandoned ends at once, whatever its provider does; one that is over cannot be abandoned."""

import asyncio

import pytest

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request
from holdfast.model.route import Api, Route
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST
from holdfast.worker.call_runner import CallInFlight
from holdfast.worker.slow_calls import GIVEN_UP

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
