"""Terminal records: how a job's generation ended, written in the transaction that ends it, and never again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.model.storable import storable
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

# The cost is read from the attempt rows: what this generation is known to have cost by now.
INSERT_RESULTS = Statement("""
    with v as ($rows(
        job text, generation bigint, attempts bigint, fence bigint, state text, fault text, status bigint, code text,
        message text, route text, reply bytes, usage text, mapping text
    ))
    insert into result (
        job, generation, attempts, fence, state, fault, status, code, message, route, reply, usage, mapping,
        created_at, cost_micros
    )
    select v.*, :now,
        (select coalesce(sum(cost_micros), 0) from attempt
         where attempt.job = v.job and attempt.generation = v.generation)
    from v where true
""")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one generation of a job ended. ``reply``, ``usage`` and ``mapping`` are as the columns hold them."""

    job: str
    generation: int
    attempts: int
    fence: int
    state: State
    fault: FaultKind | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    route: str | None = None
    reply: bytes | None = None
    usage: str | None = None
    mapping: str | None = None

    def row(self) -> list[Any]:
        return [
            self.job,
            self.generation,
            self.attempts,
            self.fence,
            self.state.value,  # the driver of SQLite is slow with anything but a plain str
            self.fault and self.fault.value,
            self.status,
            storable(self.code),
            storable(self.message),
            self.route,
            self.reply,
            self.usage,
            self.mapping,
        ]


def write_endings(tx: Transaction, endings: Iterable[Ending | None]) -> None:
    """Write terminal records of jobs that this transaction has just ended."""
    if rows := [ending.row() for ending in endings if ending]:
        tx.run(INSERT_RESULTS, rows=rows, now=tx.now)
