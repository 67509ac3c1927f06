"""Keeps in SQL what was learned of limits that nobody wrote down, and begins with it where Redis has forgotten."""

import asyncio
from dataclasses import dataclass

import structlog

from holdfast.lanes.learned_limits import learned_limits, restore_limits
from holdfast.policy.learned_limit import to_keep
from holdfast.store.learned_limits import keep_limits, read_limits
from holdfast.worker.context import WorkerContext

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LearnedLimits:
    """Raises QueueUnavailable and StorageUnavailable. Every process does this: they all find the same in Redis."""

    context: WorkerContext

    async def keep(self) -> None:
        """Write what differs from what SQL holds."""
        gate = self.context.gate
        found = await asyncio.to_thread(learned_limits, gate.lanes.connection, gate.now())
        known = await self.context.read(read_limits) if found else {}
        news = [to_keep(known.get(limit.bucket), limit) for limit in found]
        if told := [limit for limit in news if limit is not None]:
            await self.context.write(keep_limits, told)

    async def restore(self) -> None:
        """Begin buckets with what SQL holds of them, before any permit is given."""
        gate = self.context.gate
        limits = (await self.context.read(read_limits)).values()
        if names := await asyncio.to_thread(restore_limits, gate.lanes.connection, limits, gate.now()):
            log.info("limits_restored", buckets=names, effect="rates go up to what an earlier run learned at once")
