"""Counts the faults of this process's calls by route, and adds them to what the fleet remembers for people."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from holdfast.lanes import Connection
from holdfast.lanes.recent_faults import FaultKey, note_faults
from holdfast.model.fault import Fault

LOOK = 1.0  # seconds


@dataclass(slots=True)
class FaultCounter:
    """``heard`` costs nothing; ``run`` passes on once a second what was heard."""

    connection: Connection
    _counts: Counter[FaultKey] = field(default_factory=Counter)

    def heard(self, route: str, fault: Fault) -> None:
        """A call to ``route`` failed."""
        self._counts[route, fault.kind.value, fault.status] += 1

    async def run(self) -> None:
        """Pass on until cancelled. Raises QueueUnavailable: what could not be told is told later."""
        while True:
            await asyncio.sleep(LOOK)
            if self._counts:
                counts = Counter(self._counts)
                await asyncio.to_thread(note_faults, self.connection, counts)
                self._counts -= counts
