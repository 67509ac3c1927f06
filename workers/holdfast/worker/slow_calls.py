"""Watches calls in flight: tells the breaker of a slow one before it ends, and leaves one that is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from holdfast.config import clock
from holdfast.lanes import Gate
from holdfast.model.call_result import CallResult
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Reply
from holdfast.model.route import Plan, Route
from holdfast.policy.retry import Health
from holdfast.policy.slow_calls import RECHECK_AFTER, gives_up, is_crowded, slow_after, typical
from holdfast.worker.calling import Calling
from holdfast.worker.dependency_health import DependencyHealth

GIVEN_UP = Fault(FaultKind.TIMED_OUT, "slow on a route that is ill, given up for another", ambiguous=True)


@dataclass(slots=True)
class SlowCallMonitor:
    """``typical``: what calls on each route take, in seconds of a call of usual length, as this process learned it.

    ``slots``: calls that this process may have in flight.
    """

    gate: Gate
    dependencies: DependencyHealth
    health: Callable[[Plan], Awaitable[Health]]
    slots: int
    typical: dict[str, float] = field(default_factory=dict)
    _looking: set[asyncio.Task[None]] = field(default_factory=set)

    def heard(self, route: Route, answer: CallResult) -> None:
        """Learn from a reply."""
        if isinstance(answer.outcome, Reply) and route.slow_after is not None:
            known, tokens = self.typical.get(route.name), answer.outcome.usage.output
            self.typical[route.name] = typical(known, answer.seconds, tokens)

    def watch(self, calling: Calling, plan: Plan) -> asyncio.TimerHandle | None:
        """Look at the call once it is slow; cancel this when it is over before. None: its route is never slow."""
        if calling.route.slow_after is None:
            return None
        known = self.typical.get(calling.route.name)
        slow = slow_after(calling.route, known, calling.job.need.output_tokens)
        return asyncio.get_running_loop().call_later(clock.real(slow), self._is_slow, calling, plan, slow)

    def _is_slow(self, calling: Calling, plan: Plan, slow: float) -> None:
        looking = asyncio.create_task(self._look(calling, plan, slow))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    async def _look(self, calling: Calling, plan: Plan, slow: float) -> None:
        """Until the call is over: leave it when its route turns out to be ill and another could take its job."""
        await self._report(calling)
        while not calling.over:
            if await self._is_lost(calling, plan, slow):
                calling.leave(GIVEN_UP)
                return
            await asyncio.sleep(clock.real(RECHECK_AFTER))

    async def _is_lost(self, calling: Calling, plan: Plan, slow: float) -> bool:
        route, job, health = calling.route, calling.job, await self.health(plan)
        crowded = is_crowded(len(self._looking), self.slots)
        slowness = calling.age / slow
        now = self.gate.now()
        return gives_up(route, plan, health, job.need, now, slowness=slowness, crowded=crowded, calls=job.calls)

    async def _report(self, calling: Calling) -> None:
        try:
            await self.gate.report_slow(calling.permit)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
