"""The last full count of the ledger, which one process at a time makes for all: the row says when the next one is due.

A count reads every row once, so it costs more the more jobs there are. The next one waits a hundred times as long as
the last one took: all processes together spend a hundredth of a core on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from holdfast.store.micros import to_micros, to_seconds_or_none
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

EVERY = 60.0  # seconds from one count to the next, or
SHARE = 100  # times as long as the last one took
LEASE = 900.0  # seconds after which another process counts, should the one that began have died

FIRST = Statement("insert into ledger_check (id, next_at) values (1, 0) on conflict (id) do nothing")
CLAIM = Statement("update ledger_check set next_at = :lease where id = 1 and next_at <= :now returning id")
KEEP = Statement("update ledger_check set checked_at = :now, broken = :broken, next_at = :next_at where id = 1")
LAST = Statement("select checked_at, broken, next_at from ledger_check where id = 1")


@dataclass(frozen=True, slots=True)
class LedgerCheckRecord:
    """What the last full count found. ``checked_at`` in seconds since the epoch; None: none was made yet."""

    checked_at: float | None = None
    """When it ended."""
    broken: Sequence[str] = ()
    """The rules that did not hold, as sentences."""
    due: bool = True
    """Whether the next one may begin."""


def read_ledger_check(tx: Transaction) -> LedgerCheckRecord:
    """Return what the last full count found, and whether it is time for another."""
    for row in tx.run(LAST):
        broken = () if row.broken is None else tuple(orjson.loads(row.broken))
        return LedgerCheckRecord(to_seconds_or_none(row.checked_at), broken, row.next_at <= tx.now)
    return LedgerCheckRecord()


def claim_ledger_check(tx: Transaction) -> bool:
    """Whether this process is to count now: it is time, and no other one has begun."""
    tx.run(FIRST)
    return bool(tx.run(CLAIM, now=tx.now, lease=tx.now + to_micros(LEASE)))


def keep_ledger_check(tx: Transaction, broken: Sequence[str], took: float) -> None:
    """Write what a count found that took so many seconds."""
    next_at = tx.now + to_micros(max(EVERY, SHARE * took))
    tx.run(KEEP, broken=orjson.dumps(list(broken)).decode(), now=tx.now, next_at=next_at)
