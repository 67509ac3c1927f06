"""Counts the faults of this process's calls by route, and adds them to what the fleet remembers for people."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from holdfast.lanes import Connection
from holdfast.lanes.recent_faults import FaultKey, note_faults
from holdfast.model.fault import Fault

PAUSE = 1.0  # seconds between two tellings


@dataclass(slots=True)
class FaultCounter:
    """``record`` costs nothing; ``run`` tells the first fault at once, and what follows once a second."""

    connection: Connection
    _counts: Counter[FaultKey] = field(default_factory=Counter)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, route: str, fault: Fault) -> None:
        """A call to ``route`` failed."""
        self._counts[route, fault.kind.value, fault.status] += 1
        self._some.set()

    async def run(self) -> None:
        """Pass on until cancelled. Raises QueueUnavailable: what could not be told is told later."""
        while True:
            await self._some.wait()
            counts = Counter(self._counts)
            await asyncio.to_thread(note_faults, self.connection, counts)
            self._counts -= counts
            if not self._counts:
                self._some.clear()
            await asyncio.sleep(PAUSE)
