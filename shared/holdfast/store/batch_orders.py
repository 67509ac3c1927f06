"""Orders of batches: opened once, read a page at a time by whichever process holds the lease, ended when all jobs are.

A page of lines becomes jobs in the transaction that moves the order on, so that a process which dies anywhere leaves
neither a line twice nor a line out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.model.batch_order import BadLine, BatchOrder, NewBatchOrder
from holdfast.model.job import LIVE, State, Submitted
from holdfast.store.batch_ends import tell_ends
from holdfast.store.batches import count_states, open_batch
from holdfast.store.cancel import cancel_all
from holdfast.store.codec import decode_labels, decode_usage, encode_labels
from holdfast.store.micros import to_micros, to_seconds, to_seconds_or_none
from holdfast.store.new_job import NewJob
from holdfast.store.repeats import demand_same, look_for
from holdfast.store.sql import Statement
from holdfast.store.submit import insert_jobs
from holdfast.store.transaction import Transaction

COLUMNS = """
    batch, tenant, api, endpoint, file, completion_window, labels, created_at, expires_at, lines, next_line, next_byte,
    read_at, failure, cancel_asked_at, ended_at, final_counts, bad_lines, hidden_files, output_micros, usage, model
"""
OPEN = Statement("""
    insert into batch_order (
        batch, tenant, api, endpoint, file, completion_window, labels, fingerprint, created_at, expires_at, lines,
        next_line, next_byte, leased_until, bad_lines, hidden_files, output_micros
    ) values (
        :batch, :tenant, :api, :endpoint, :file, :completion_window, :labels, :fingerprint, :now, :expires_at, :lines,
        0, 0, 0, 0, '', :output_micros
    )
    on conflict do nothing
""")
REPEATED = Statement(f"""
    select fingerprint, {COLUMNS} from batch_order
    where fingerprint >= :first and fingerprint < :last and tenant = :tenant and created_at >= :since
    and deleted_at is null
    order by created_at limit 1
""")  # noqa: S608 - all of it is ours, here and below
ONE = Statement(f"""
    select {COLUMNS} from batch_order
    where batch = :batch and api = :api and deleted_at is null
    and (cast(:tenant as text) is null or tenant = :tenant)
""")  # noqa: S608
OLDER = Statement(f"""
    select {COLUMNS} from batch_order
    where api = :api and deleted_at is null and (cast(:tenant as text) is null or tenant = :tenant)
    and (cast(:after as text) is null or batch < :after)
    order by batch desc limit :limit
""")  # noqa: S608
NEWER = Statement(f"""
    select {COLUMNS} from batch_order
    where api = :api and deleted_at is null and (cast(:tenant as text) is null or tenant = :tenant)
    and batch > :before
    order by batch limit :limit
""")  # noqa: S608
LEASE = Statement(f"""
    update batch_order set leased_until = :until
    where batch in (
        select batch from batch_order where ended_at is null and read_at is null and leased_until < :now
        order by batch limit 1 $skip_locked
    )
    returning {COLUMNS}
""")  # noqa: S608
ADVANCE = Statement("""
    update batch_order
    set next_line = :next_line, next_byte = :next_byte, bad_lines = bad_lines + :bad, leased_until = :until,
        read_at = :read_at
    where batch = :batch and next_byte = :from_byte and read_at is null
    returning cancel_asked_at
""")
INSERT_BAD_LINES = Statement("""
    with v as ($rows(batch text, position bigint, line bigint, custom_id text, code text, message text, param text))
    insert into bad_line (batch, position, line, custom_id, code, message, param) select * from v where true
    on conflict do nothing
""")
BAD_LINES = Statement("""
    select position, line, custom_id, code, message, param from bad_line
    where batch = :batch and position > :after order by position limit :limit
""")
CUSTOM_IDS = Statement("select custom_id from job where batch = :batch and custom_id is not null")
ASK_CANCEL = Statement("""
    update batch_order set cancel_asked_at = :now where batch = :batch and ended_at is null and cancel_asked_at is null
""")
OPEN_ONES = Statement("""
    select batch, read_at is null as is_unread, cancel_asked_at is not null as is_cancelling from batch_order
    where ended_at is null and (read_at is not null or leased_until < :now) order by batch
""")
DROP_OWN_FILE = Statement("""
    delete from file_chunk
    where file = :file and not exists (select 1 from file where file.id = :file)
""")
FAIL = Statement("""
    update batch_order set failure = :failure, read_at = :now, ended_at = :now, final_counts = '{}'
    where batch = :batch and ended_at is null
    returning tenant
""")
HIDE = Statement("""
    update batch_order set hidden_files = hidden_files || ' ' || :part where batch = :batch
""")
DELETE = Statement("update batch_order set deleted_at = :now where batch = :batch and deleted_at is null")


def open_order(tx: Transaction, new: NewBatchOrder) -> BatchOrder:
    """Open an order and its batch. Raises Conflict where the id is taken by another tenant."""
    open_batch(tx, new.batch, new.name, new.tenant)
    tx.run(
        OPEN,
        batch=new.batch,
        tenant=new.tenant,
        api=new.api,
        endpoint=new.endpoint,
        file=new.file,
        completion_window=new.completion_window,
        labels=encode_labels(new.metadata),
        fingerprint=new.fingerprint,
        now=tx.now,
        expires_at=tx.now + to_micros(new.expires_in),
        lines=new.lines,
        output_micros=None if new.output_for is None else to_micros(new.output_for),
    )
    found = find_order(tx, new.batch, new.api, new.tenant)
    assert found is not None
    return found


def open_failed_order(tx: Transaction, new: NewBatchOrder, failure: str) -> BatchOrder:
    """Open an order that cannot be carried out at all. ``failure`` is JSON of code and message."""
    open_order(tx, new)
    if tx.run(FAIL, batch=new.batch, failure=failure, now=tx.now):
        tell_ends(tx, {new.batch: new.tenant}, {})
    found = find_order(tx, new.batch, new.api, new.tenant)
    assert found is not None
    return found


def find_repeated_order(tx: Transaction, tenant: str, fingerprint: str, within: float) -> BatchOrder | None:
    """Return the order that the same creation made in the last ``within`` seconds. Raises Conflict: its key did."""
    rows = tx.run(REPEATED, tenant=tenant, **look_for(tx, fingerprint, within))
    demand_same(rows, fingerprint)
    return _records(tx, rows)[0] if rows else None


def find_order(tx: Transaction, batch: str, api: str, tenant: str | None = None) -> BatchOrder | None:
    """Return an order; None where there is none, it came through another API, or is another tenant's."""
    found = _records(tx, tx.run(ONE, batch=batch, api=api, tenant=tenant))
    return found[0] if found else None


def list_orders(
    tx: Transaction, api: str, tenant: str | None, limit: int, *, after: str | None = None, before: str | None = None
) -> list[BatchOrder]:
    """Return a page of orders, newest first: those that follow ``after``, or those right before ``before``."""
    if before is not None:
        return _records(tx, tx.run(NEWER, api=api, tenant=tenant, before=before, limit=limit)[::-1])
    return _records(tx, tx.run(OLDER, api=api, tenant=tenant, after=after, limit=limit))


def lease_order(tx: Transaction, seconds: float) -> BatchOrder | None:
    """Take an order that is not read to its end, for so long; None: there is none that nobody reads."""
    found = tx.run(LEASE, now=tx.now, until=tx.now + to_micros(seconds))
    return _records(tx, found)[0] if found else None


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Lines that become jobs in one transaction, with those that do not."""

    jobs: Sequence[NewJob]
    bad_lines: Sequence[BadLine]
    next_line: int
    next_byte: int
    is_last: bool


def add_page(tx: Transaction, order: BatchOrder, page: ImportPage, lease: float) -> list[Submitted] | None:
    """Make jobs of a page of lines and move the order on, together. ``order`` is as it was before the page.

    Jobs of an order whose cancellation was asked for end at once. None: another process has read the page.
    """
    moved = tx.run(
        ADVANCE,
        batch=order.batch,
        from_byte=order.next_byte,
        next_line=page.next_line,
        next_byte=page.next_byte,
        bad=len(page.bad_lines),
        until=tx.now + to_micros(lease),
        read_at=tx.now if page.is_last else None,
    )
    if not moved:
        return None
    if page.is_last:
        tx.run(DROP_OWN_FILE, file=order.file)
    tx.run(INSERT_BAD_LINES, rows=[_bad_line_row(order.batch, bad) for bad in page.bad_lines])
    submitted = insert_jobs(tx, page.jobs) if page.jobs else []
    if moved[0].cancel_asked_at is not None:
        cancel_all(tx, [one.id for one in submitted])
        return []
    return submitted


def _bad_line_row(batch: str, bad: BadLine) -> list[Any]:
    return [batch, bad.position, bad.line, bad.custom_id, bad.code, bad.message, bad.param]


def list_bad_lines(tx: Transaction, batch: str, after: int = -1, limit: int = 500) -> list[BadLine]:
    """Return lines that became no job, by their places beyond ``after``."""
    return [BadLine(*row) for row in tx.run(BAD_LINES, batch=batch, after=after, limit=limit)]


def read_custom_ids(tx: Transaction, batch: str) -> set[str]:
    """Return the names of all requests of an order that have become jobs."""
    return {row.custom_id for row in tx.run(CUSTOM_IDS, batch=batch)}


def ask_cancel(tx: Transaction, batch: str) -> None:
    """Note that an order is to be cancelled; its jobs are cancelled next, by ``cancel_batch``."""
    tx.run(ASK_CANCEL, batch=batch, now=tx.now)


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """Orders that somebody has to look after.

    ``unread`` are read by nobody; those of ``cancelling`` have jobs left to cancel; of ``done`` every job has ended.
    """

    unread: tuple[str, ...]
    cancelling: tuple[str, ...]
    done: tuple[str, ...]


def find_open_orders(tx: Transaction) -> OpenOrders:
    rows = tx.run(OPEN_ONES, now=tx.now)
    counts = count_states(tx, [row.batch for row in rows if not row.is_unread])
    done = tuple(batch for batch, jobs in counts.items() if not any(state in LIVE for state in jobs))
    return OpenOrders(
        tuple(row.batch for row in rows if row.is_unread),
        tuple(row.batch for row in rows if row.is_cancelling and row.batch not in done),
        done,
    )


def hide_file(tx: Transaction, batch: str, part: str) -> None:
    """Show one of its output files no more."""
    tx.run(HIDE, batch=batch, part=part)


def delete_order(tx: Transaction, batch: str) -> None:
    """Show an order no more. Retention deletes its jobs, and it with them."""
    tx.run(DELETE, batch=batch, now=tx.now)


def _records(tx: Transaction, rows: Sequence[Any]) -> list[BatchOrder]:
    counts = count_states(tx, [row.batch for row in rows])
    return [_record(row, counts[row.batch]) for row in rows]


def _record(row: Any, counts: Mapping[State, int]) -> BatchOrder:
    return BatchOrder(
        batch=row.batch,
        tenant=row.tenant,
        api=row.api,
        endpoint=row.endpoint,
        file=row.file,
        lines=row.lines,
        completion_window=row.completion_window,
        metadata=decode_labels(row.labels),
        created_at=to_seconds(row.created_at),
        expires_at=to_seconds(row.expires_at),
        next_line=row.next_line,
        next_byte=row.next_byte,
        bad_lines=row.bad_lines,
        read_at=to_seconds_or_none(row.read_at),
        failure=row.failure,
        cancel_asked_at=to_seconds_or_none(row.cancel_asked_at),
        ended_at=to_seconds_or_none(row.ended_at),
        counts=counts if row.final_counts is None else _kept(row.final_counts),
        hidden_files=frozenset(row.hidden_files.split()),
        output_for=to_seconds_or_none(row.output_micros),
        usage=decode_usage(row.usage),
        model=row.model,
    )


def _kept(counts: str) -> dict[State, int]:
    return {State(state): jobs for state, jobs in orjson.loads(counts).items()}
