"""Watches calls in flight: tells the breaker of a slow one before it ends, and abandons one that is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from holdfast.model.attempt import Attempt
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.route import Plan
from holdfast.policy.health import Health
from holdfast.policy.slow_calls import RECHECK_AFTER, gives_up, is_crowded, slow_after, typical
from holdfast.worker.call_runner import CallInFlight
from holdfast.worker.context import WorkerContext

GIVEN_UP = Fault(FaultKind.TIMED_OUT, "slow on a route that is ill, given up for another", ambiguous=True)


@dataclass(slots=True)
class SlowCallMonitor:
    """``typical``: what calls on each route take, in seconds of a call of usual length, as this process learned it.

    ``health`` tells which routes of a plan fail.
    """

    context: WorkerContext
    health: Callable[[Plan], Awaitable[Health]]
    typical: dict[str, float] = field(default_factory=dict)
    _looking: set[asyncio.Task[None]] = field(default_factory=set)

    def learn(self, attempt: Attempt) -> None:
        """Learn from a reply what calls on its route take."""
        reply, route = attempt.reply, attempt.route
        if reply is not None and route.slow_after is not None:
            self.typical[route.name] = typical(self.typical.get(route.name), attempt.seconds, reply.usage.output)

    @contextmanager
    def watch(self, call: CallInFlight, plan: Plan) -> Iterator[None]:
        """Look at a call that turns slow inside the block. On a route without ``slow_after`` none does."""
        timer = self._timer(call, plan)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()

    def _timer(self, call: CallInFlight, plan: Plan) -> asyncio.TimerHandle | None:
        route, job = call.attempt.route, call.attempt.job
        if route.slow_after is None:
            return None
        slow = slow_after(route, self.typical.get(route.name), job.need.output_tokens)
        return asyncio.get_running_loop().call_later(
            self.context.runtime.clock.real(slow), self._is_slow, call, plan, slow
        )

    def _is_slow(self, call: CallInFlight, plan: Plan, slow: float) -> None:
        looking = asyncio.create_task(self._look(call, plan, slow))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    async def _look(self, call: CallInFlight, plan: Plan, slow: float) -> None:
        """Until the call is over: abandon it when its route turns out to fail and another could take its job."""
        await self._report(call)
        while not call.over:
            if await self._is_lost(call, plan, slow):
                call.abandon(GIVEN_UP)
                return
            await asyncio.sleep(self.context.runtime.clock.real(RECHECK_AFTER))

    async def _is_lost(self, call: CallInFlight, plan: Plan, slow: float) -> bool:
        attempt, health = call.attempt, await self.health(plan)
        return gives_up(
            attempt.route,
            plan,
            health,
            attempt.job.need,
            self.context.gate.now(),
            slowness=call.age / slow,
            crowded=is_crowded(len(self._looking), self.context.slots.total),
            calls=attempt.job.calls,
        )

    async def _report(self, call: CallInFlight) -> None:
        try:
            await self.context.gate.report_slow(call.attempt.permit)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
