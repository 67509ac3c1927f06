"""Of two calls for one job, the first good answer decides; what a second call takes it pays for or gives back."""

import asyncio
from dataclasses import replace

import pytest

from attempts import a_claim, ended
from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import OnRefusal, Request, Strictness
from holdfast.model.route import Hedge, Plan
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST, HedgeBudget
from holdfast.store.cancel import cancel_job
from holdfast.worker.call_runner import CallInFlight
from holdfast.worker.hedging import Hedging, in_order, is_good
from holdfast.worker.slow_calls import GIVEN_UP
from worker.workshop import PLAN, Workshop, until

PERMIT = Permit("w/1:1", "j", "smart.batch", "a/m", "main", {})
REPLY = Reply(text="yes", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
REFUSED = Reply(text="", finish=Finish.REFUSED, usage=Usage(input=1, output=1), model="m")
NEVER = Strictness.NEVER
BROKEN = Fault(FaultKind.SERVER_ERROR)
UNSENT = Fault(FaultKind.UNMAPPABLE)


def attempt(outcome: Reply | Fault, **request) -> Attempt:
    return ended(replace(a_claim(PERMIT), request=Request(turns=(), **request)), PERMIT, outcome)


def test_an_attempt_is_good_when_its_job_can_end_with_it():
    assert is_good(attempt(REPLY))
    assert is_good(attempt(REFUSED))
    assert not is_good(attempt(REFUSED, on_refusal=OnRefusal.REROUTE))
    assert not is_good(attempt(BROKEN))


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
    assert in_order(attempt(first), attempt(second))[-1].outcome == decides


def hedging(workshop: Workshop) -> Hedging:
    made = Hedging(workshop.context, workshop.releaser)
    made.budgets["smart"] = HedgeBudget(level=1.0)
    return made


async def in_flight(workshop: Workshop, plan: Plan = PLAN) -> CallInFlight:
    job, permit = await workshop.start()
    return CallInFlight(Attempt(job, permit, plan.routes[0], 1))


async def test_a_second_call_takes_another_route_a_row_and_one_of_the_budget(workshop: Workshop):
    made, first = hedging(workshop), await in_flight(workshop)
    second = await made.second(first, PLAN)
    assert second is not None
    assert (second.attempt.route.name, second.attempt.number) == ("openai/gpt", 2)
    assert second.attempt.key == first.attempt.key
    assert made.budgets["smart"].level == 0.0
    assert await made.second(first, PLAN) is None  # the budget is used up


async def test_where_no_route_has_room_the_budget_is_given_back(workshop: Workshop):
    made, first = hedging(workshop), await in_flight(workshop)
    assert await made.second(first, Plan("smart", PLAN.routes[:1])) is None
    assert made.budgets["smart"].level == 1.0


async def test_a_second_call_whose_row_is_refused_is_not_made_and_costs_nothing(workshop: Workshop):
    made, first = hedging(workshop), await in_flight(workshop)
    workshop.scene.store.write(cancel_job, first.attempt.job.id)
    assert await made.second(first, PLAN) is None
    assert made.budgets["smart"].level == 1.0
    assert workshop.in_flight("openai/gpt") == 0


async def test_a_call_that_answered_meanwhile_needs_no_second_one(workshop: Workshop):
    made, first = hedging(workshop), await in_flight(workshop)
    first.over = True
    assert await made.second(first, PLAN) is None
    assert workshop.in_flight("openai/gpt") == 0


async def test_a_job_that_allows_no_mapping_gets_no_second_call_on_a_route_of_another_format(workshop: Workshop):
    made, first = hedging(workshop), await in_flight(workshop)
    job = first.attempt.job
    first.attempt = replace(
        first.attempt, job=replace(job, request=job.request.model_copy(update={"strictness": NEVER}))
    )
    assert await made.second(first, PLAN) is None
    assert (made.budgets["smart"].level, workshop.in_flight("openai/gpt")) == (1.0, 0)


async def test_a_second_call_that_redis_or_sql_cannot_give_is_not_made(workshop: Workshop):
    made, first = hedging(workshop), await in_flight(workshop)
    workshop.server.connected = False
    assert await made.second(first, PLAN) is None
    assert not workshop.context.dependencies.redis
    workshop.server.connected = True
    workshop.cut_off_sql()
    assert await made.second(first, PLAN) is None
    assert not workshop.context.dependencies.sql
    assert (made.budgets["smart"].level, workshop.in_flight("openai/gpt")) == (1.0, 0)


async def test_a_probe_is_not_hedged(workshop: Workshop):
    """Cut short by another route's answer, it would never tell how its own route is."""
    plan, made = replace(PLAN, hedge=Hedge(after=0.0, at_most=1.0)), Duel()
    job, permit = await workshop.start()
    probe = Attempt(job, replace(permit, probe=True), plan.routes[0], 1)
    racing = asyncio.create_task(hedging(workshop).run(probe, plan, made.call))
    await made.begun.get()
    for _ in range(100):
        await asyncio.sleep(0)
    assert made.begun.empty()
    made.ends[0].set_result(REPLY)
    assert [each.outcome for each in await racing] == [REPLY]


class Duel:
    """Two calls of one job that end when they are told to."""

    def __init__(self) -> None:
        self.ends: list[asyncio.Future[Reply | Fault]] = []
        self.begun: asyncio.Queue[CallInFlight] = asyncio.Queue()

    async def call(self, call: CallInFlight, plan: Plan) -> Attempt:
        end: asyncio.Future[Reply | Fault] = asyncio.get_running_loop().create_future()
        self.ends.append(end)
        self.begun.put_nowait(call)

        async def answer() -> CallResult:
            return CallResult(await end)

        result = await call.unless_abandoned(answer())
        call.over = True
        return replace(call.attempt, result=result, outcome=result.outcome)


async def duel(workshop: Workshop) -> tuple[Duel, "asyncio.Task[list[Attempt]]"]:
    """Both calls of a hedged job, under way."""
    plan, made = replace(PLAN, hedge=Hedge(after=0.0, at_most=1.0)), Duel()
    job, permit = await workshop.start()
    racing = asyncio.create_task(hedging(workshop).run(Attempt(job, permit, plan.routes[0], 1), plan, made.call))
    await made.begun.get(), await made.begun.get()
    return made, racing


async def test_the_second_call_that_answers_first_wins_and_the_first_is_abandoned(workshop: Workshop):
    made, racing = await duel(workshop)
    made.ends[1].set_result(REPLY)
    lost, won = await racing
    assert (lost.outcome, won.outcome, won.number) == (HEDGE_PRIMARY_LOST, REPLY, 2)


async def test_a_first_call_that_fails_is_released_while_the_second_one_still_runs(workshop: Workshop):
    made, racing = await duel(workshop)
    made.ends[0].set_result(BROKEN)
    await until(lambda: workshop.releaser._waiting)
    [released] = workshop.releaser._waiting
    assert released.outcome == BROKEN
    made.ends[1].set_result(REPLY)
    failed, won = await racing
    assert (failed.released, won.released, won.outcome) == (True, False, REPLY)
