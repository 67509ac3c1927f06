"""Groups of dead letters for the dashboard, read again when their number has changed and reading is cheap enough."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Thread

from holdfast.client.installation import Installation
from holdfast.client.overview import Overview
from holdfast.model.errors import HoldfastError
from holdfast.model.job import State
from holdfast.model.records import FaultGroup, JobFilter
from holdfast.store.dead_letters import dead_groups

SHARE = 20  # times as long as the last reading took until the next one: a twentieth of a core at most
LONGEST = 30.0  # seconds until a look even where no number changed: one may have died while another was replayed
PATIENCE = 0.2  # seconds that a look waits for a reading
SHOWN = 6  # groups on the overview; the page of dead letters has them all


@dataclass(frozen=True, slots=True)
class FailurePicture:
    """``total``: dead letters of all groups, which is known before they are."""

    groups: Sequence[FaultGroup] = ()
    total: int = 0

    @property
    def shown(self) -> Sequence[FaultGroup]:
        return self.groups[:SHOWN]


class FailureGroups:
    """Asked by one thread at a time. A reading that takes long holds no look up: the next one shows what it found."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.picture = FailurePicture()
        self._seen: Mapping[tuple[str, ...], int] = {}
        self._next, self._last = float("-inf"), float("-inf")
        self._thread: Thread | None = None

    def look(self, now: Overview) -> None:
        """Read the groups anew where that may be due, and wait for them a moment."""
        dead, total = dict(now.counters.of("dead")), now.books.counts.get(State.DEAD, 0)
        self.picture = replace(self.picture, total=total)
        if self._thread is None or not self._thread.is_alive():
            began = time.monotonic()
            if began < self._next or (dead == self._seen and began - self._last < LONGEST):
                return
            self._thread = Thread(target=self._read, args=(dead, began), name="failure-groups", daemon=True)
            self._thread.start()
        self._thread.join(PATIENCE)

    def _read(self, dead: Mapping[tuple[str, ...], int], began: float) -> None:
        try:
            groups = self._installation.ready().read(dead_groups, JobFilter())
        except HoldfastError:
            return  # the look at the fleet says so
        self.picture = replace(self.picture, groups=groups)
        self._last = time.monotonic()
        self._seen, self._next = dead, self._last + SHARE * (self._last - began)
