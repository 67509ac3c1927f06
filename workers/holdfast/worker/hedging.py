"""Second calls: for a job whose first one takes long, on another route, where its plan asks for that."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from holdfast.config import clock, crash_point
from holdfast.lanes import Gate
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.job import Offer, Permit
from holdfast.model.route import Hedge, Plan
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST, HEDGE_SECONDARY_LOST, HedgeBudget, avoiding, earn, refund, spend
from holdfast.policy.slow_calls import RECHECK_AFTER
from holdfast.store import GroupWriter
from holdfast.wire.strictness import allowed
from holdfast.worker.calling import Called, Calling
from holdfast.worker.dependency_health import DependencyHealth

Call = Callable[[Calling, Plan], Awaitable[Called]]


@dataclass(slots=True)
class Hedges:
    """``budgets`` by model, of this process."""

    gate: Gate
    writer: GroupWriter
    dependencies: DependencyHealth
    budgets: dict[str, HedgeBudget] = field(default_factory=dict)

    def first_call(self, plan: Plan, hedge: Hedge) -> None:
        """A call was made that may earn a hedge."""
        self.budgets[plan.model] = earn(self.budgets.get(plan.model, HedgeBudget()), hedge.at_most)

    async def second(self, first: Calling, plan: Plan) -> Calling | None:
        """Get a second call ready: its permit, then its row. None: no budget, no room, or it is not needed any more."""
        budget = spend(self.budgets.get(plan.model, HedgeBudget()))
        if budget is None:
            return None
        self.budgets[plan.model] = budget
        permit = await self._permit(first, plan)
        calling = None if permit is None else await self._begin(first, plan, permit)
        if calling is None:
            self.budgets[plan.model] = refund(self.budgets[plan.model])
        return calling

    async def _permit(self, first: Calling, plan: Plan) -> Permit | None:
        job = first.job
        need = replace(job.need, avoid=avoiding(job.need.avoid, _barred(first, plan)))
        try:
            return await self.gate.hedge(Offer(job.id, job.lane, need), worker_of(first.permit), plan)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
            return None

    async def _begin(self, first: Calling, plan: Plan, permit: Permit) -> Calling | None:
        """Write the second call's row, unless the first one answered meanwhile."""
        number = None
        try:
            if not first.over:
                number = await self.writer.hedge(worker_of(permit), first.job, permit)
                crash_point("after_hedge")
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
        route = plan.route(permit.route)
        if number is None or route is None:
            await self._drop(permit)
            return None
        return Calling(replace(first.job, attempt_number=number), permit, route)

    async def _drop(self, permit: Permit) -> None:
        try:
            await self.gate.drop([permit])
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)


def worker_of(permit: Permit) -> str:
    return permit.id.partition("/")[0]


def _barred(first: Calling, plan: Plan) -> list[str]:
    """Routes that a second call must not take: the first one's, and those that the job's strictness forbids."""
    may = {route.name for route in allowed(first.job.request, plan)} - {first.route.name}
    return [route.name for route in plan.routes if route.name not in may]


class Race:
    """The calls of one job whose plan hedges. The first good answer wins; the other call is left.

    ``call`` makes one. ``tell`` is given a call that failed while the other one still runs: its breakers should know.
    """

    def __init__(self, hedges: Hedges, plan: Plan, call: Call, tell: Callable[[Called], None]) -> None:
        self._hedges, self._plan, self._call, self._tell = hedges, plan, call, tell
        self._second: Calling | None = None
        self._running: asyncio.Task[Called | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._won = False

    async def run(self, first: Calling, hedge: Hedge) -> list[Called]:
        """Make the calls. The one that decides comes last; there may be only one."""
        self._hedges.first_call(self._plan, hedge)
        self._arm(first, hedge.after)
        try:
            called = await self._call(first, self._plan)
            self._disarm()
            return _in_order(called, await self._other(called))
        finally:
            self._disarm()
            if self._running is not None and not self._running.done():
                self._running.cancel()

    def _arm(self, first: Calling, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(clock.real(seconds), self._start, first)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, first: Calling) -> None:
        self._running = asyncio.create_task(self._follow(first))

    async def _follow(self, first: Calling) -> Called | None:
        """Make the second call, or try again later for as long as the first one runs."""
        second = await self._hedges.second(first, self._plan)
        if second is None:
            if not first.over:
                self._arm(first, RECHECK_AFTER)
            return None
        self._second = second
        if self._won:
            second.leave(HEDGE_SECONDARY_LOST)
        called = await self._call(second, self._plan)
        if called.is_good:
            first.leave(HEDGE_PRIMARY_LOST)
        return called

    async def _other(self, called: Called) -> Called | None:
        """The second call's end, once the first one came to its own."""
        if self._running is None:
            return None
        self._won = called.is_good
        if self._second is not None and self._won:
            self._second.leave(HEDGE_SECONDARY_LOST)
        elif self._second is not None and not self._second.over:
            self._tell(called)
        return await self._running


def _in_order(called: Called, other: Called | None) -> list[Called]:
    """The one that decides last: a good one, else the later one, but none that was not sent."""
    if other is None:
        return [called]
    decides = called.is_good or not (other.is_good or other.was_sent)
    return [other, called] if decides else [called, other]
