"""Keeps lane windows filled from SQL: the backlog's head, when the gate says that a window runs low."""

import asyncio
import time
from dataclasses import dataclass, field

from holdfast.lanes import BacklogPart, Gate
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.store import Store
from holdfast.store.backlog import lane_heads
from holdfast.testing import PRODUCTION, Runtime
from holdfast.worker.call_slots import CallSlots
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.lane_schedule import LaneSchedule

AGAIN = 0.05  # seconds until a lane that had more to give is read again
NOTHING_NEW = 0.5  # seconds until a lane whose backlog is in its window already is read again


@dataclass(slots=True)
class WindowRefiller:
    """One query at a time per lane, by this process."""

    store: Store
    gate: Gate
    lanes: LaneSchedule
    slots: CallSlots
    dependencies: DependencyHealth
    window: int
    runtime: Runtime = PRODUCTION
    _next: dict[str, float] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def soon(self, lane: str) -> None:
        """Top up ``lane`` unless that was just done."""
        now = time.monotonic()
        if now < self._next.get(lane, 0.0):
            return
        self._next[lane] = now + self.runtime.clock.real(NOTHING_NEW)
        filling = asyncio.create_task(self._fill(lane))
        self._running.add(filling)
        filling.add_done_callback(self._running.discard)

    async def _fill(self, lane: str) -> None:
        try:
            offers = await asyncio.to_thread(self.store.read, lane_heads, lane, self.window)
            self.runtime.crash_point("before_refill")
            backlog = BacklogPart.PART if len(offers) == self.window else BacklogPart.ALL
            added = await self.gate.offer(offers, window=self.window, backlog=backlog)
            self.runtime.crash_point("after_refill")
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
        else:
            if added:
                self._next[lane] = time.monotonic() + AGAIN
                self.lanes.wake(lane)
                self.slots.wake()
