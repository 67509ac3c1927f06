"""Cancelling and expiring: the two ends of a job that no worker brings about."""

from collections.abc import Iterator, Sequence

from holdfast.model.errors import NotFound
from holdfast.model.fault import FaultKind
from holdfast.model.ids import public_id
from holdfast.model.job import State
from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.terminal import ended_by_others, write_terminal_records
from holdfast.store.transaction import Transaction

CANCEL_PAGE = 1000  # jobs in one transaction
# A running job's call goes on, but its worker's write is refused: the state is no longer ``running``.
END = Statement("""
    update job set state = :state, fault = :fault, finished_at = :now, available_at = null, worker = null
    where id in ($ids) and state || '' = :before
    returning id, generation, number, fence, lane, batch, why_waiting, tenant, custom_id, model
""")
STATE = Statement("""
    select state from job where id = :id and (cast(:tenant as text) is null or tenant = :tenant)
""")
LIVE_IN_BATCH = Statement("""
    select id from job where batch = :batch and id > :after and state in ('queued', 'delayed', 'running')
    and (cast(:tenant as text) is null or tenant = :tenant) order by id limit :limit
""")
EXPIRED = Statement("""
    select id from job where state in ('queued', 'delayed') and expires_at < $never and expires_at <= :now
    order by expires_at limit :limit $skip_locked
""")


def cancel_job(tx: Transaction, id_: str, tenant: str | None = None) -> State:
    """End a job that has not ended; a running one's late write is refused. Answers its state. Raises NotFound."""
    found = tx.run(STATE, id=id_, tenant=tenant)
    if not found:
        raise NotFound("job", public_id("job", id_))
    cancel_all(tx, [id_])
    return State(tx.run(STATE, id=id_, tenant=tenant)[0].state)


def cancel_batch(store: Store, batch: str, tenant: str | None = None) -> int:
    """Cancel every live job of a batch. Answers how many."""
    return sum(cancel_pages(store, batch, tenant))


def cancel_pages(store: Store, batch: str, tenant: str | None = None) -> Iterator[int]:
    """Cancel every live job of a batch, a page in each transaction. Yields how many jobs were on it."""
    cursor, found = "", 0
    while True:
        live = store.read(live_in_batch, batch, tenant, cursor, CANCEL_PAGE)
        if not live and not found:
            return
        if not live:  # again from the start, for those that moved while the walk passed them
            cursor, found = "", 0
            continue
        cancelled, cursor = store.write(cancel_all, live), live[-1]
        found += cancelled
        yield cancelled


def live_in_batch(tx: Transaction, batch: str, tenant: str | None, after: str, limit: int) -> list[str]:
    """The next ids beyond ``after``: without it each page would read all that were cancelled before."""
    return [row.id for row in tx.run(LIVE_IN_BATCH, batch=batch, tenant=tenant, after=after, limit=limit)]


def cancel_all(tx: Transaction, ids: Sequence[str]) -> int:
    """Cancel those of ``ids`` that live. Answers how many."""
    return sum(_end(tx, ids, before, State.CANCELLED) for before in (State.QUEUED, State.DELAYED, State.RUNNING))


def expire_due(tx: Transaction, limit: int) -> int:
    """End waiting jobs whose deadline has passed. Answers how many."""
    ids = [row.id for row in tx.run(EXPIRED, now=tx.now, limit=limit)]
    return sum(_end(tx, ids, before, State.EXPIRED) for before in (State.QUEUED, State.DELAYED)) if ids else 0


def _end(tx: Transaction, ids: Sequence[str], before: State, after: State) -> int:
    fault = FaultKind.EXPIRED if after is State.EXPIRED else None
    rows = tx.run(END, ids=list(ids), before=before, state=after, fault=fault, now=tx.now)
    write_terminal_records(tx, [ended_by_others(row, after, fault, row.why_waiting) for row in rows], rows)
    for row in rows:
        tx.moved(row.lane, row.batch, before, after)
    return len(rows)
