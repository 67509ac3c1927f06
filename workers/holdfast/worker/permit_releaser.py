"""Gives permits back to Redis, in groups: after SQL knows how their calls ended, never before."""

import asyncio
from collections.abc import Iterable

import structlog

from holdfast.model.attempt import Attempt
from holdfast.model.errors import QueueUnavailable
from holdfast.model.exception_fault import what_broke
from holdfast.worker.context import WorkerContext

log = structlog.get_logger()
GROUP = 200  # attempts a script call
LINGER = 0.002  # seconds to let a group form; a permit is worth nothing to anyone sooner
RETRY_AFTER = 0.5  # seconds between tries while Redis is away


class PermitReleaser:
    """Holds ended attempts that Redis has not heard of. While it is away they wait: a lost acknowledgement would keep
    its job out of its lane.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._waiting: list[Attempt] = []
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def release(self, attempts: Iterable[Attempt]) -> None:
        """Hand in attempts of one job; the one with the step last: an earlier one takes the job's message away."""
        self._waiting += attempts
        self._empty.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Tell Redis until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await asyncio.sleep(LINGER)
            while self._waiting:
                await self._flush(self._waiting[:GROUP])
            self._empty.set()

    async def _flush(self, group: list[Attempt]) -> bool:
        """Tell Redis of the first that wait. False: it is away, and they wait on."""
        self._context.runtime.crash_point("before_settle")
        try:
            await self._context.gate.finish(group)
        except QueueUnavailable as error:
            self._context.dependencies.failed(error)
            await asyncio.sleep(RETRY_AFTER)
            return False
        except Exception as error:  # noqa: BLE001  one that cannot be told must not keep the others waiting
            return await self._flush_one_by_one(group, error)
        self._context.runtime.crash_point("after_settle")
        self._context.dependencies.redis_answered()
        if self._context.lanes.wake_held_up():
            self._context.slots.wake()
        del self._waiting[: len(group)]
        return True

    async def _flush_one_by_one(self, group: list[Attempt], error: Exception) -> bool:
        """Tell Redis of each by itself. One that breaks even so is left to the sweeper, as a stray."""
        if len(group) == 1:
            job, effect = group[0].job.id, "its permit comes back as a stray's"
            log.error("release_broke", job=job, error=what_broke(error), effect=effect, exc_info=error)
            del self._waiting[:1]
            return True
        for attempt in group:
            if not await self._flush([attempt]):
                return False
        return True

    async def drain(self, at_most: float) -> bool:
        """Wait until Redis has heard everything; False when ``at_most`` seconds were not enough."""
        try:
            async with asyncio.timeout(at_most):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
