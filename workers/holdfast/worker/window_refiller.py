"""Keeps lane windows filled from SQL: the backlog's head, when the gate says that a window runs low."""

import asyncio
import time
from dataclasses import dataclass, field

from holdfast.lanes import BacklogPart
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.store.backlog import lane_heads
from holdfast.worker.context import WorkerContext

AGAIN = 0.05  # seconds until a lane that had more to give is read again
NOTHING_NEW = 0.5  # seconds until a lane whose backlog is in its window already is read again


@dataclass(slots=True)
class WindowRefiller:
    """One query at a time per lane, by this process."""

    context: WorkerContext
    _next: dict[str, float] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def soon(self, lane: str) -> None:
        """Top up ``lane`` unless that was just done."""
        now = time.monotonic()
        if now < self._next.get(lane, 0.0):
            return
        self._next[lane] = now + self.context.runtime.clock.real(NOTHING_NEW)
        filling = asyncio.create_task(self._fill(lane))
        self._running.add(filling)
        filling.add_done_callback(self._running.discard)

    async def _fill(self, lane: str) -> None:
        window = self.context.settings.worker.window
        try:
            offers = await self.context.read(lane_heads, lane, window)
            self.context.runtime.crash_point("before_refill")
            backlog = BacklogPart.PART if len(offers) == window else BacklogPart.ALL
            added = await self.context.gate.offer(offers, backlog=backlog)
            self.context.runtime.crash_point("after_refill")
        except (StorageUnavailable, QueueUnavailable) as error:
            self.context.dependencies.failed(error)
        else:
            if added:
                self._next[lane] = time.monotonic() + AGAIN
                self.context.lanes.wake(lane)
                self.context.slots.wake()
