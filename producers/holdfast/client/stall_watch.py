"""Why jobs do not move, found out for all waiters of an event loop: one question at a time, however many they are."""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.client.backend import Backend
from holdfast.client.wait_monitor import LOOK_EVERY, WaitMonitor, monitor_job


class StallWatch:
    """Belongs to one event loop. Warns once of each reason."""

    def __init__(self, backend: Backend, *, tick: float = LOOK_EVERY) -> None:
        self._backend, self._tick = backend, tick
        self._told, self._monitors = set[str](), set[WaitMonitor]()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def over(self, job: str) -> Iterator[None]:
        """Watch a wait for one job, by its public id, while the block lasts."""
        monitor = monitor_job(self._backend, job, None, self._told)
        self._monitors.add(monitor)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._monitors.discard(monitor)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look_on(self) -> None:
        while self._monitors:
            await asyncio.sleep(self._tick)
            due = next((monitor for monitor in self._monitors if monitor.is_due), None)
            if due is not None:
                await asyncio.to_thread(due.look)
