"""Batches: jobs submitted together, counted by state."""

from collections.abc import Collection, Sequence
from typing import Any

from holdfast.model.errors import Conflict
from holdfast.model.ids import public_id
from holdfast.model.job import TERMINAL, State
from holdfast.model.records import BatchRecord
from holdfast.model.storable import storable
from holdfast.model.webhook import endpoint_id
from holdfast.store.micros import micros_range, to_seconds
from holdfast.store.sql import ENDED, Statement
from holdfast.store.transaction import Transaction
from holdfast.store.webhook_endpoints import name_endpoints

OPEN_BATCH = Statement("""
    insert into batch (id, tenant, name, source, webhook, created_at)
    values (:id, :tenant, :name, :source, :webhook, :now)
    on conflict do nothing
""")
TELL = Statement("update batch set webhook = :webhook where id = :id and tenant = :tenant")
BATCH = Statement("""
    select id, tenant, name, created_at from batch
    where id = :id and (cast(:tenant as text) is null or tenant = :tenant)
""")
BATCHES = Statement("""
    select id, tenant, name, created_at from batch
    where (cast(:tenant as text) is null or tenant = :tenant) and (cast(:before as text) is null or id < :before)
    and created_at >= :least and created_at < :end
    order by id desc limit :limit
""")
BATCH_COUNTS = Statement("""
    select name, state, cast(sum(jobs) as bigint) as jobs from tally
    where kind = 'batch' and name in ($ids) group by name, state
""")

# Of jobs that have ended: the index of those by batch is the one there is.
SPENT = Statement(f"""
    select cast(coalesce(sum($least(attempt.cost_micros, $most_cost)), 0) as bigint) as micros
    from job join attempt on attempt.job = job.id
    where job.batch = :batch and job.batch is not null and job.state in ({ENDED})
""")  # noqa: S608 - the states are ours


def open_batch(
    tx: Transaction, id_: str, name: str, tenant: str, source: str | None = None, *, webhook: str | None = None
) -> BatchRecord:
    """Make a batch, or find it. Raises Conflict where another tenant has it. ``webhook``: the URL told of its end."""
    names = {"name": storable(name), "source": storable(source), "webhook": webhook and endpoint_id(tenant, webhook)}
    name_endpoints(tx, [(tenant, webhook)] if webhook else [])
    tx.run(OPEN_BATCH, id=id_, tenant=tenant, now=tx.now, **names)
    found = find_batch(tx, id_, tenant)
    if found is None:
        raise Conflict(public_id("batch", id_), "exists already. Use a new id.")
    return found


def tell_of_batch(tx: Transaction, id_: str, tenant: str, webhook: str) -> None:
    """Have a URL told of a batch's end, instead of the one that was named before."""
    name_endpoints(tx, [(tenant, webhook)])
    tx.run(TELL, id=id_, tenant=tenant, webhook=endpoint_id(tenant, webhook))


def find_batch(tx: Transaction, id_: str, tenant: str | None = None) -> BatchRecord | None:
    """The batch with its counts; None where there is none, or it is another tenant's."""
    found = _records(tx, tx.run(BATCH, id=id_, tenant=tenant))
    return found[0] if found else None


def list_batches(
    tx: Transaction,
    tenant: str | None = None,
    limit: int = 50,
    before: str | None = None,
    *,
    created_after: float | None = None,
    created_before: float | None = None,
) -> list[BatchRecord]:
    """Newest first; ``before`` is the id that the last page ended with."""
    least, end = micros_range(created_after, created_before)
    return _records(tx, tx.run(BATCHES, tenant=tenant, before=before, limit=limit, least=least, end=end))


def read_spent(tx: Transaction, batch: str) -> int:
    """What the calls of a batch's ended jobs have cost, in micro-dollars; those without a known price count nothing."""
    return int(tx.run(SPENT, batch=batch)[0].micros)


def count_unfinished(tx: Transaction, batch: str) -> int:
    """How many jobs of a batch have not ended."""
    return sum(row.jobs for row in tx.run(BATCH_COUNTS, ids=[batch]) if State(row.state) not in TERMINAL)


def count_states(tx: Transaction, batches: Collection[str]) -> dict[str, dict[State, int]]:
    """Count the jobs of batches by state, without states that no job is in."""
    counts: dict[str, dict[State, int]] = {batch: {} for batch in batches}
    for row in tx.run(BATCH_COUNTS, ids=list(counts)) if counts else ():
        if row.jobs:
            counts[row.name][State(row.state)] = row.jobs
    return counts


def _records(tx: Transaction, rows: Sequence[Any]) -> list[BatchRecord]:
    counts = count_states(tx, [row.id for row in rows])
    return [BatchRecord(row.id, row.tenant, row.name, to_seconds(row.created_at), counts[row.id]) for row in rows]
