"""Groups of dead letters for the dashboard, read again when their number has changed and reading is cheap enough."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.client.installation import Installation
from holdfast.client.overview import Overview
from holdfast.model.job import State
from holdfast.model.records import FaultGroup, JobFilter
from holdfast.store.dead_letters import dead_groups

SHARE = 20  # times as long as the last reading took until the next one: a twentieth of a core at most
LONGEST = 30.0  # seconds until a look even where no number changed: one may have died while another was replayed
SHOWN = 6  # groups on the overview; the page of dead letters has them all


@dataclass(frozen=True, slots=True)
class FailurePicture:
    """``total``: of all groups."""

    groups: Sequence[FaultGroup] = ()
    total: int = 0

    @property
    def shown(self) -> Sequence[FaultGroup]:
        return self.groups[:SHOWN]


class FailureGroups:
    """Asked by one thread at a time."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.picture = FailurePicture()
        self._seen: Mapping[tuple[str, ...], int] = {}
        self._next, self._last = float("-inf"), float("-inf")

    def look(self, now: Overview) -> None:
        """Read the groups anew where that may be due. Raises StorageUnavailable."""
        began, dead = time.monotonic(), dict(now.counters.of("dead"))
        if began < self._next or (dead == self._seen and began - self._last < LONGEST):
            return
        groups = self._installation.ready().read(dead_groups, JobFilter())
        self.picture = FailurePicture(groups, now.books.counts.get(State.DEAD, 0))
        self._last = time.monotonic()
        self._seen, self._next = dead, self._last + SHARE * (self._last - began)
