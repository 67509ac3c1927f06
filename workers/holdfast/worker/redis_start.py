"""What a worker does when Redis does not know the fleet: it is new, or it was lost."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.policy.rate_limit import LATE_AFTER
from holdfast.store.fleet import list_workers
from holdfast.store.requeue import called_within
from holdfast.worker.context import WorkerContext
from holdfast.worker.learned_limits import LearnedLimits
from holdfast.worker.overrides import Overrides

log = structlog.get_logger()
# Seconds: calls made in them mean that a Redis without our epoch was lost, not new. Longer than any cool-off: in a long
# outage the last call was a probe, and a breaker that Redis forgot must not come back closed.
RECENT = 900.0
SENT_BY_NOW = 2 * LATE_AFTER  # seconds in which a call that was permitted before the loss has left, or must ask anew


@dataclass(slots=True)
class RedisStart:
    """Begins an epoch of the gate."""

    context: WorkerContext
    overrides: Overrides

    async def begin_early(self) -> None:
        """Begin ahead of the first fetch, if that is to be done; where a store is away, the fetcher does it later."""
        with suppress(QueueUnavailable, StorageUnavailable):
            if not await self.context.gate.has_begun():
                await self.begin()

    async def begin(self) -> None:
        """Let the gate give permits. After recent calls Redis was lost, and allowances must start empty.

        Overrides and learned limits go first: until it is begun, the gate gives nothing, so no job slips past an
        operator's pause, and no bucket begins without what is known of it.
        Raises QueueUnavailable, StorageUnavailable.
        """
        lost = await self._called_lately()
        log.warning("redis_begun", state="lost" if lost else "fresh", effect="windows are rebuilt from SQL")
        await self.overrides.restore()
        await LearnedLimits(self.context).restore()
        await self.context.gate.begin(fresh=not lost)

    async def _called_lately(self) -> bool:
        """Whether SQL knows of recent calls. One whose permit Redis gave just before it forgot may not be there yet.

        Permits are given to registered workers alone: without any, there is nothing to wait for.
        """
        if await self.context.read(called_within, RECENT):
            return True
        if not await self.context.read(list_workers):
            return False
        await asyncio.sleep(SENT_BY_NOW)
        return await self.context.read(called_within, RECENT)
