"""Terminal records: how a job's generation ended, written in the transaction that ends it, and never again."""

from collections.abc import Iterable
from typing import Any

from holdfast.model.records import TerminalRecord
from holdfast.model.storable import storable
from holdfast.store.codec import encode_mapping, encode_reply, encode_usage
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


def write_terminal_records(tx: Transaction, records: Iterable[TerminalRecord]) -> None:
    """Write terminal records of jobs that this transaction has just ended."""
    if rows := [_row(record) for record in records]:
        tx.run(INSERT_RESULTS, rows=rows, now=tx.now)


def _row(record: TerminalRecord) -> list[Any]:
    return [
        record.job,
        record.generation,
        record.attempts,
        record.fence,
        record.state.value,  # the driver of SQLite is slow with anything but a plain str
        record.fault and record.fault.value,
        record.status,
        storable(record.code),
        storable(record.message),
        record.route,
        record.reply and encode_reply(record.reply),
        record.usage and encode_usage(record.usage),
        encode_mapping(record.mapping),
    ]
