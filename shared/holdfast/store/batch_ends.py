"""Batches that have ended: found by following the ends of their jobs, and told once for each end.

No transaction that ends a job can know whether it ends the batch: on Postgres the last two may not see each other.
Whoever comes after both sees no live job, and tells by an event whose row of the outbox is later than theirs. Its
number is kept with the batch, so that the same end is not told again. Batches that came as files end with their orders.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from holdfast.model.event import START, Event, EventKind, row_of
from holdfast.model.job import LIVE, State
from holdfast.store.batches import count_states
from holdfast.store.micros import MICROS
from holdfast.store.outbox import lock_cursor, move_cursor, poll_events, read_cursor, read_events, read_horizon
from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

READER = "batches"
PAGE = 2_000  # events in one transaction
QUIET = 2 * MICROS  # after its newest job, in which a producer may be about to send the batch's next ones

BATCHES = Statement("""
    select id, tenant, ended_event,
        (select created_at from job where job.batch = batch.id order by job.id desc limit 1) as newest
    from batch where id in ($ids)
    and not exists (select 1 from batch_order where batch_order.batch = batch.id and ended_at is null)
""")
TOLD = Statement("update batch set ended_event = :row where id in ($ids)")


def tell_batch_ends(store: Store) -> int:
    """Tell of every batch whose last job has ended since it was told last. Answers how many."""
    told = 0
    while True:
        after = store.read(read_cursor, READER) or START
        if not poll_events(store, after, 1):
            return told
        found, position = store.write(_tell_page)
        told += found
        if position == after:
            return told


def _tell_page(tx: Transaction) -> tuple[int, str]:
    """Read a page of ends, and tell of the batches that they end. Answers how many, and how far it came."""
    after = lock_cursor(tx, READER, START)
    events = read_events(tx, after, read_horizon(tx), PAGE)
    last = {event.batch: event for event in events if event.batch and event.kind is not EventKind.BATCH_ENDED}
    rows = _untold(tx, last)
    counts = count_states(tx, [row.id for row in rows])
    ended = [row for row in rows if not any(state in LIVE for state in counts[row.id])]
    settled = [row for row in ended if row.newest is None or row.newest < tx.now - QUIET]
    tell_ends(tx, {row.id: row.tenant for row in settled}, counts)
    open_ = {row.id for row in ended} - {row.id for row in settled}
    position = _position(after, events, [last[batch].id for batch in open_])
    move_cursor(tx, READER, position)
    return len(settled), position


def _untold(tx: Transaction, last: Mapping[str, Event]) -> list[Any]:
    """Return the rows of batches of whose last end nobody has been told."""
    rows = tx.run(BATCHES, ids=list(last)) if last else ()
    return [row for row in rows if row.ended_event is None or row.ended_event < row_of(last[row.id].id)]


def _position(after: str, events: Sequence[Event], unsettled: Collection[str]) -> str:
    """Return the last event before those that have to be read again."""
    until = min(unsettled, default=None)
    passed = [event.id for event in events if until is None or event.id < until]
    return passed[-1] if passed else after


def tell_ends(tx: Transaction, tenants: Mapping[str, str], counts: Mapping[str, Mapping[State, int]]) -> None:
    """Write the event of batches that have ended. ``tenants``: whose they are, by id."""
    if not tenants:
        return
    row = tx.append_events([_event(batch, tenant, counts.get(batch, {})) for batch, tenant in tenants.items()])
    tx.run(TOLD, ids=list(tenants), row=row)


def _event(batch: str, tenant: str, counts: Mapping[State, int]) -> list[Any]:
    by_state = {state.value: jobs for state, jobs in counts.items()}
    return [EventKind.BATCH_ENDED.value, tenant, batch, None, 0, None, None, None, by_state]
