"""The books, counted in full now and then beside whatever else a process does: see ``store.ledger_checks``."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Thread

from holdfast.model.errors import HoldfastError
from holdfast.store import Store
from holdfast.store.ledger import read_ledger
from holdfast.store.ledger_checks import claim_ledger_check, keep_ledger_check, read_ledger_check

PASSING = frozenset({"I8"})  # while a storage is away jobs are overdue; that is no mistake in the books


@dataclass(slots=True)
class LedgerCheck:
    """One per process. Asked by one thread at a time."""

    _thread: Thread | None = None

    def look(self, store: Store) -> Sequence[str]:
        """Return the rules that did not hold when the fleet last counted, and begin to count where that is due.

        Raises StorageUnavailable.
        """
        last = store.read(read_ledger_check)
        if last.due and not (self._thread and self._thread.is_alive()) and store.write(claim_ledger_check):
            self._thread = Thread(target=count, args=(store,), name="ledger-check", daemon=True)
            self._thread.start()
        return last.broken


def count(store: Store) -> None:
    """Count everything, and write down what does not hold."""
    began = time.monotonic()
    try:
        lines = store.read(read_ledger)
        broken = [line.sentence for line in lines if not line.holds and line.name not in PASSING]
        store.write(keep_ledger_check, broken, time.monotonic() - began)
    except HoldfastError:
        return  # another process counts once the claim has run out; whoever looks is told of the storage
