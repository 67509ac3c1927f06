"""A call that is left ends at once, whatever its provider does; one that is over cannot be left."""

import asyncio

import pytest

from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import OnRefusal, Request
from holdfast.model.route import Api, Route
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST
from holdfast.worker.calling import Called, Calling
from holdfast.worker.hedging import _in_order
from holdfast.worker.slow_calls import GIVEN_UP

ROUTE = Route("a", "m", Api.ANTHROPIC, "m", ("main",))
REPLY = Reply(text="yes", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
REFUSED = Reply(text="", finish=Finish.REFUSED, usage=Usage(input=1, output=1), model="m")
BROKEN = Fault(FaultKind.SERVER_ERROR)
UNSENT = Fault(FaultKind.UNMAPPABLE)


def calling(**request) -> Calling:
    job = Claimed("j" * 32, "smart.batch", "smart", 1, 1, 1, 0, 0, 0, Need(5, 5), Request(turns=(), **request), None)
    return Calling(job, Permit("w/1:1", job.id, job.lane, "a/m", "main", {}), ROUTE)


def called(outcome: Reply | Fault, **request) -> Called:
    made = calling(**request)
    return Called(made.job, made.permit, ROUTE, CallResult(outcome), outcome)


async def test_a_call_that_hangs_ends_when_it_is_left_and_says_why():
    made, sent, cut = calling(), asyncio.Event(), asyncio.Event()

    async def hang() -> CallResult:
        sent.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()
        raise AssertionError

    waiting = asyncio.create_task(made.patiently(hang()))
    await sent.wait()
    made.leave(GIVEN_UP)
    made.leave(HEDGE_PRIMARY_LOST)  # the first reason stands
    assert (await waiting).outcome == GIVEN_UP
    assert cut.is_set()


async def test_whoever_stops_the_whole_attempt_stops_its_call_too():
    made = calling()
    waiting = asyncio.create_task(made.patiently(asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_call_that_is_over_is_not_left():
    made = calling()
    made.over = True
    made.leave(HEDGE_PRIMARY_LOST)
    assert made.left is None


def test_a_call_is_good_when_its_job_can_end_with_it():
    assert called(REPLY).is_good
    assert called(REFUSED).is_good
    assert not called(REFUSED, on_refusal=OnRefusal.REROUTE).is_good
    assert not called(BROKEN).is_good


@pytest.mark.parametrize(
    ("first", "second", "decides"),
    [
        (REPLY, HEDGE_PRIMARY_LOST, REPLY),
        (HEDGE_PRIMARY_LOST, REPLY, REPLY),
        (BROKEN, REPLY, REPLY),
        (REPLY, BROKEN, REPLY),
        (BROKEN, GIVEN_UP, GIVEN_UP),  # the later one
        (BROKEN, UNSENT, BROKEN),  # one that was never made decides nothing
    ],
)
def test_of_two_calls_a_good_one_decides_else_the_later_one_that_was_made(first, second, decides):
    assert _in_order(called(first), called(second))[-1].outcome == decides
