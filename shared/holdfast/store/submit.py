"""Accepting jobs: many rows in one transaction, and a repeated submit is the same job."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.model.errors import Conflict, NotFound
from holdfast.model.ids import public_id
from holdfast.model.job import SCHEDULED, Offer, State, Submitted
from holdfast.store.micros import NEVER, to_micros, to_seconds, to_seconds_or_none
from holdfast.store.new_job import CommonFields, NewJob
from holdfast.store.shared_writes import SharedWrites
from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction
from holdfast.store.webhook_endpoints import name_endpoints

OWN_COLUMNS = """
    id text, custom_id text, position bigint, idempotency_key text, request_hash text, labels text,
    input_tokens bigint, output_tokens bigint
"""
SHARED_COLUMNS = """
    tenant text, batch text, model text, lane text, priority text, avoid text, expires_in bigint, expires_at bigint,
    written_in text, webhook text, not_before bigint
"""
SHARED = tuple(column.split() for column in SHARED_COLUMNS.split(","))  # name and type


def _insert(jobs: str) -> Statement:
    """Insert what a select says of new jobs: their own columns, then those that they may share."""
    own = [column.split()[0] for column in OWN_COLUMNS.split(",")]
    return Statement(f"""
        insert into job (
            {", ".join(own)}, {", ".join(name for name, _ in SHARED)},
            created_at, available_at, state, why_waiting, generation, fence, number, attempts, calls, tries, crashes
        )
        with v as ({jobs})
        select v.*, :now, v.not_before,
            case when v.not_before is null then 'queued' else 'delayed' end,
            case when v.not_before is not null then cast(:scheduled as text) end, 1, 0, 0, 0, 0, 0, 0
        from v where true
        on conflict do nothing
    """)  # noqa: S608 - all of it is ours


INSERT_JOBS = _insert(f"$rows({OWN_COLUMNS},{SHARED_COLUMNS})")
# Of jobs that have the same of all that they may share, as those of most submits: a third of the time of SQLite.
INSERT_ALIKE = _insert(
    f"select own.*, {', '.join(f'cast(:{name} as {kind}) as {name}' for name, kind in SHARED)}"  # noqa: S608 - the same
    f" from ($rows({OWN_COLUMNS})) as own"
)
# A job is never without its request once the transaction is over that inserted it.
NEW_IDS = Statement("""
    select id from job where id in ($ids) and not exists (select 1 from request where request.job = job.id)
""")
INSERT_REQUESTS = Statement("""
    with v as ($rows(job text, body bytes, traceparent text))
    insert into request (job, body, traceparent) select job, body, traceparent from v where true
""")
KNOWN_IDS = Statement("select id, tenant, idempotency_key, request_hash from job where id in ($ids)")
KNOWN_KEYS = Statement("""
    with v as ($rows(tenant text, idempotency_key text))
    select job.id, job.tenant, job.idempotency_key, job.request_hash
    from v join job on job.tenant = v.tenant and job.idempotency_key = v.idempotency_key
    where job.idempotency_key is not null
""")
LOCK_BATCHES = Statement("update batch set name = name where id in ($ids) returning id")
BATCH_SIZES = Statement("""
    select name, cast(sum(jobs) as bigint) from tally where kind = 'batch' and name in ($ids) group by name
""")


def submit_jobs(store: Store | SharedWrites, jobs: Sequence[NewJob]) -> list[Submitted]:
    """Accept jobs, all or none; answers in the same order. A known id or idempotency key is the earlier job.

    Raises Conflict where the same key means another job.
    """
    return store.write(insert_jobs, jobs) if jobs else []


def insert_jobs(tx: Transaction, jobs: Sequence[NewJob]) -> list[Submitted]:
    """Accept jobs within a transaction that does more; else as ``submit_jobs``."""
    dates = {common: JobDates.of(common, tx.now) for common in {job.common for job in jobs}}
    name_endpoints(tx, ((common.tenant, common.webhook) for common in dates if common.webhook))
    positions = _positions(tx, jobs)
    inserted = _insert_rows(tx, jobs, positions, dates)
    new = None if inserted == len(jobs) else {row.id for row in tx.run(NEW_IDS, ids=[job.id for job in jobs])}
    fresh = jobs if new is None else list({job.id: job for job in reversed(jobs) if job.id in new}.values())
    tx.run(INSERT_REQUESTS, rows=[[job.id, job.body, job.common.traceparent] for job in fresh])
    for common, count in Counter(job.common for job in fresh).items():
        tx.moved(common.lane, common.batch, None, dates[common].state, count)
    tx.total("accepted", len(fresh))
    tx.crash_point("mid_insert")
    if new is None:
        return [_accepted(job, dates[job.common]) for job in jobs]
    return _answers(tx, jobs, new, dates)


@dataclass(frozen=True, slots=True)
class JobDates:
    """What the clock of the transaction makes of the times that jobs name. ``start`` None: at once."""

    expires_at: int
    start: int | None

    @classmethod
    def of(cls, common: CommonFields, now: int) -> "JobDates":
        at = now if common.not_before is None else max(now, to_micros(common.not_before.at(to_seconds(now))))
        return cls(NEVER if common.expires_in is None else at + common.expires_in, at if at > now else None)

    @property
    def state(self) -> State:
        return State.QUEUED if self.start is None else State.DELAYED


def _accepted(job: NewJob, dates: JobDates) -> Submitted:
    if dates.start is not None:
        return Submitted(job.id, created=True)
    due = to_seconds_or_none(dates.expires_at)
    need = job.need if due is None else replace(job.need, expires_at=due)
    return Submitted(job.id, created=True, offer=Offer(job.id, job.common.lane, need))


def _insert_rows(
    tx: Transaction,
    jobs: Sequence[NewJob],
    positions: Sequence[int | None],
    dates: Mapping[CommonFields, JobDates],
) -> int:
    """Insert those that are not there yet, of equal ones the first; answers how many these were."""
    shared = {common: _shared(common, dates[common]) for common in dates}
    rows = [_own(job, position) for job, position in zip(jobs, positions, strict=True)]
    first, *others = set(shared.values())
    if not others:
        same = {name: value for (name, _), value in zip(SHARED, first, strict=True)}
        return tx.change(INSERT_ALIKE, rows=rows, now=tx.now, scheduled=SCHEDULED, **same)
    rows = [own + list(shared[job.common]) for own, job in zip(rows, jobs, strict=True)]
    return tx.change(INSERT_JOBS, rows=rows, now=tx.now, scheduled=SCHEDULED)


def _own(job: NewJob, position: int | None) -> list[Any]:
    """Values of ``OWN_COLUMNS``."""
    need = job.need
    return [
        job.id,
        job.custom_id,
        position,
        job.idempotency_key,
        job.hash,
        job.common.labels,
        need.input_tokens,
        need.output_tokens,
    ]


def _shared(common: CommonFields, dates: JobDates) -> tuple[Any, ...]:
    """Values of ``SHARED_COLUMNS``."""
    return (
        common.tenant,
        common.batch,
        common.model,
        common.lane,
        common.priority,
        common.avoid,
        common.expires_in,
        dates.expires_at,
        common.written_in,
        common.endpoint,
        dates.start,
    )


def _positions(tx: Transaction, jobs: Sequence[NewJob]) -> list[int | None]:
    """Each job's place in its batch: its own, or the next free one, so that every job of a batch can be listed."""
    waiting = {job.common.batch for job in jobs if job.position is None}
    batches = sorted(batch for batch in waiting if batch is not None)
    if not batches:
        return [job.position for job in jobs]
    tx.run(LOCK_BATCHES, ids=batches)  # two producers of one batch take turns
    next_free: dict[str, int] = dict.fromkeys(batches, 0)
    next_free.update(dict(tx.run(BATCH_SIZES, ids=batches)))
    positions: list[int | None] = []
    for job in jobs:
        batch = job.common.batch
        if batch is None or job.position is not None:
            positions.append(job.position)
        else:
            positions.append(next_free[batch])
            next_free[batch] += 1
    return positions


def _answers(
    tx: Transaction, jobs: Sequence[NewJob], new: set[str], dates: Mapping[CommonFields, JobDates]
) -> list[Submitted]:
    """Who each job turned out to be, in order; the second of two equal ids in one call is the first."""
    by_id = {row.id: row for row in tx.run(KNOWN_IDS, ids=[job.id for job in jobs])}
    keys = [
        [job.common.tenant, job.idempotency_key]
        for job in jobs
        if job.id not in by_id and job.idempotency_key is not None
    ]
    by_key = {(row.tenant, row.idempotency_key): row for row in tx.run(KNOWN_KEYS, rows=keys)}
    answers = []
    for job in jobs:
        row = by_id.get(job.id) or by_key.get((job.common.tenant, job.idempotency_key))
        if row is None:
            raise NotFound("job", public_id("job", job.id))  # dropped between two statements: send it again
        _demand_same(job, row)
        is_new = row.id in new
        answers.append(_accepted(job, dates[job.common]) if is_new else Submitted(row.id, created=False))
        new.discard(answers[-1].id)
    return answers


def _demand_same(job: NewJob, row: Any) -> None:
    """Refuse a job whose id or key is another one's. Raises Conflict."""
    if (row.request_hash, row.tenant) != (job.hash, job.common.tenant):
        what = f"idempotency key {job.idempotency_key!r}" if job.idempotency_key else public_id("job", job.id)
        raise Conflict(what, "is taken by a job with another request. Send the first request, or use a new key.")
