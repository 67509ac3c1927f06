"""Hedged requests: a second call on another route for a job whose first one takes long, where its plan wants that."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from holdfast.model.attempt import Attempt
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.exception_fault import what_broke
from holdfast.model.job import Offer, Permit
from holdfast.model.reply import Reply
from holdfast.model.route import Hedge, Plan
from holdfast.policy.fault_rules import was_sent
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST, HEDGE_SECONDARY_LOST, HedgeBudget, avoiding, earn, refund, spend
from holdfast.policy.retry import asks_another
from holdfast.policy.slow_calls import RECHECK_AFTER
from holdfast.wire.strictness import allowed
from holdfast.worker.call_runner import CallInFlight
from holdfast.worker.context import WorkerContext
from holdfast.worker.permit_releaser import PermitReleaser

log = structlog.get_logger()
Call = Callable[[CallInFlight, Plan], Awaitable[Attempt]]


@dataclass(slots=True)
class Hedging:
    """Makes the calls of jobs: one, or two where the plan hedges. ``budgets`` by model, of this process."""

    context: WorkerContext
    releaser: PermitReleaser
    budgets: dict[str, HedgeBudget] = field(default_factory=dict)

    async def run(self, attempt: Attempt, plan: Plan, call: Call) -> list[Attempt]:
        """Make the calls of one job by ``call``; the attempt that decides comes last.

        A probe is not hedged: cut short by another route's answer, it would never tell how its own route is.
        """
        first = self._in_flight(attempt)
        if plan.hedge is None or attempt.permit.probe:
            return [await call(first, plan)]
        self.budgets[plan.model] = earn(self.budgets.get(plan.model, HedgeBudget()), plan.hedge.at_most)
        return await Race(self, plan, call).run(first, plan.hedge)

    async def second(self, first: CallInFlight, plan: Plan) -> CallInFlight | None:
        """Get a second call ready: its permit, then its row. None: no budget, no room, or it is not needed any more."""
        budget = spend(self.budgets.get(plan.model, HedgeBudget()))
        if budget is None:
            return None
        self.budgets[plan.model] = budget
        second = await self._ready(first, plan)
        if second is None:
            self.budgets[plan.model] = refund(self.budgets[plan.model])
        return second

    async def _ready(self, first: CallInFlight, plan: Plan) -> CallInFlight | None:
        """The second call with permit and row. What breaks on the way costs the hedge, never the first call."""
        permit = None
        try:
            permit = await self._permit(first.attempt, plan)
            return None if permit is None else await self._begin(first, plan, permit)
        except Exception as error:
            job, effect = first.attempt.job.id, "its first call goes on alone"
            log.exception("hedge_broke", job=job, error=what_broke(error), effect=effect)
            if permit is not None:
                await self._drop(permit)
            return None

    async def _permit(self, first: Attempt, plan: Plan) -> Permit | None:
        job = first.job
        need = replace(job.need, avoid=avoiding(job.need.avoid, _barred(first, plan)))
        try:
            return await self.context.gate.hedge(Offer(job.id, job.lane, need), first.permit.worker, plan)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
            return None

    async def _begin(self, first: CallInFlight, plan: Plan, permit: Permit) -> CallInFlight | None:
        """Write the second call's row, unless the first one answered meanwhile."""
        number = None
        try:
            if not first.over:
                number = await self.context.writer.hedge(permit.worker, first.attempt.job, permit)
                self.context.runtime.crash_point("after_hedge")
        except StorageUnavailable as error:
            self.context.dependencies.failed(error)
        route = plan.route(permit.route)
        if number is None or route is None:
            await self._drop(permit)
            return None
        return self._in_flight(Attempt(first.attempt.job, permit, route, number))

    def _in_flight(self, attempt: Attempt) -> CallInFlight:
        return CallInFlight(attempt, self.context.runtime.clock)

    async def _drop(self, permit: Permit) -> None:
        try:
            await self.context.gate.drop([permit])
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
        except Exception:
            log.exception("drop_broke", permits=1, effect="they come back as strays")


class Race:
    """The two calls of one job. The first good answer wins, and the other call is abandoned."""

    def __init__(self, hedging: Hedging, plan: Plan, call: Call) -> None:
        self._hedging, self._plan, self._call = hedging, plan, call
        self._second: CallInFlight | None = None
        self._running: asyncio.Task[Attempt | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._won = False

    async def run(self, first: CallInFlight, hedge: Hedge) -> list[Attempt]:
        """Make the first call, and the second one once the first is older than ``hedge.after`` seconds."""
        self._arm(first, hedge.after)
        try:
            ended = await self._call(first, self._plan)
            self._disarm()
            return await self._both(ended)
        finally:
            self._disarm()
            if self._running is not None and not self._running.done():
                self._running.cancel()

    def _arm(self, first: CallInFlight, seconds: float) -> None:
        real = self._hedging.context.runtime.clock.real(seconds)
        self._timer = asyncio.get_running_loop().call_later(real, self._start, first)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, first: CallInFlight) -> None:
        self._running = asyncio.create_task(self._follow(first))

    async def _follow(self, first: CallInFlight) -> Attempt | None:
        """Make the second call, or try again later for as long as the first one runs."""
        self._second = second = await self._hedging.second(first, self._plan)
        if second is None:
            if not first.over:
                self._arm(first, RECHECK_AFTER)
            return None
        if self._won:
            second.abandon(HEDGE_SECONDARY_LOST)
        ended = await self._call(second, self._plan)
        if is_good(ended):
            first.abandon(HEDGE_PRIMARY_LOST)
        return ended

    async def _both(self, first: Attempt) -> list[Attempt]:
        """Wait for the second call, once the first one has ended.

        A first call that failed is released at once: its breakers should know while the second one still runs.
        """
        if self._running is None:
            return [first]
        self._won = is_good(first)
        if self._second is not None and self._won:
            self._second.abandon(HEDGE_SECONDARY_LOST)
        elif self._second is not None and not self._second.over:
            self._hedging.releaser.release([first])
            first = replace(first, released=True)
        return in_order(first, await self._running)


def is_good(attempt: Attempt) -> bool:
    """Whether its job can end with this attempt."""
    return isinstance(attempt.outcome, Reply) and not asks_another(attempt.job, attempt.outcome)


def in_order(first: Attempt, second: Attempt | None) -> list[Attempt]:
    """The one that decides last: a good one, else the later one, but none that was not sent."""
    if second is None:
        return [first]
    decides = is_good(first) or not (is_good(second) or second.fault is None or was_sent(second.fault))
    return [second, first] if decides else [first, second]


def _barred(first: Attempt, plan: Plan) -> list[str]:
    """Routes that a second call must not take: the first one's, and those that the job's strictness forbids."""
    may = {route.name for route in allowed(first.job.request, plan)} - {first.route.name}
    return [route.name for route in plan.routes if route.name not in may]
