"""The books, checked in full now and then: that reads every row once, so the next check waits long enough."""

import time
from dataclasses import dataclass, field
from threading import Thread

from holdfast.client.installation import Installation
from holdfast.model.errors import HoldfastError
from holdfast.store.ledger import read_ledger

EVERY = 60.0  # seconds between two checks, or
SHARE = 100  # times as long as the last one took, so that checks take a hundredth of a core at most
PASSING = frozenset({"I8"})  # while a storage is away jobs are overdue; that is no mistake in the books


@dataclass(slots=True)
class LedgerCheck:
    """``holds``: what the last full check said; None before the first. ``took``, ``at`` (steady clock) in seconds."""

    installation: Installation
    holds: bool | None = None
    broken_lines: tuple[str, ...] = ()
    took: float = 0.0
    at: float = field(default=float("-inf"))
    _thread: Thread | None = None

    @property
    def broken(self) -> bool:
        return self.holds is False

    @property
    def age(self) -> float:
        return time.monotonic() - self.at

    def check_when_due(self) -> None:
        """Begin a check where the last one is long ago, beside whatever else goes on."""
        if self.age >= max(EVERY, SHARE * self.took) and not (self._thread and self._thread.is_alive()):
            self._thread = Thread(target=self._check, name="ledger-check", daemon=True)
            self._thread.start()

    def _check(self) -> None:
        began = time.monotonic()
        try:
            lines = self.installation.ready().read(read_ledger)
        except HoldfastError:
            return  # the look at the fleet says so
        self.took, self.at = time.monotonic() - began, time.monotonic()
        self.broken_lines = tuple(line.sentence for line in lines if not line.holds and line.name not in PASSING)
        self.holds = not self.broken_lines
