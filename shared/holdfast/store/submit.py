"""Accepting jobs: many rows in one transaction, and a repeated submit is the same job."""

from collections.abc import Sequence
from typing import Any

from holdfast.model.errors import Conflict, InvalidRequest, NotFound
from holdfast.model.ids import public_id
from holdfast.model.job import SCHEDULED, NewJob, State, Submitted
from holdfast.model.storable import is_storable
from holdfast.model.webhook import endpoint_id
from holdfast.store.codec import encode_avoid, encode_labels
from holdfast.store.micros import NEVER, to_micros, to_seconds, to_seconds_or_none
from holdfast.store.request_codec import encode_request
from holdfast.store.shared_writes import SharedWrites
from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction
from holdfast.store.webhook_endpoints import name_endpoints

INSERT_JOBS = Statement("""
    with v as ($rows(
        id text, tenant text, batch text, custom_id text, position bigint, model text, lane text, priority text,
        idempotency_key text, request_hash text, labels text, input_tokens bigint, output_tokens bigint, avoid text,
        expires_in bigint, expires_at bigint, written_in text, webhook text, not_before bigint
    ))
    insert into job (
        id, tenant, batch, custom_id, position, model, lane, priority,
        idempotency_key, request_hash, labels, input_tokens, output_tokens, avoid, expires_in, expires_at,
        written_in, webhook, not_before, created_at, available_at, state, why_waiting,
        generation, fence, number, attempts, calls, tries, crashes
    )
    select v.*, :now, v.not_before,
        case when v.not_before is null then 'queued' else 'delayed' end,
        case when v.not_before is not null then cast(:scheduled as text) end, 1, 0, 0, 0, 0, 0, 0
    from v where true
    on conflict do nothing
    returning id
""")
INSERT_REQUESTS = Statement("""
    with v as ($rows(job text, body bytes, traceparent text))
    insert into request (job, body, traceparent) select job, body, traceparent from v where true
""")
KNOWN_IDS = Statement("select id, tenant, idempotency_key, request_hash, lane from job where id in ($ids)")
KNOWN_KEYS = Statement("""
    with v as ($rows(tenant text, idempotency_key text))
    select job.id, job.tenant, job.idempotency_key, job.request_hash, job.lane
    from v join job on job.tenant = v.tenant and job.idempotency_key = v.idempotency_key
    where job.idempotency_key is not null
""")
LOCK_BATCHES = Statement("update batch set name = name where id in ($ids) returning id")
BATCH_SIZES = Statement("""
    select name, cast(sum(jobs) as bigint) from tally where kind = 'batch' and name in ($ids) group by name
""")


# A job, its request as it is stored, and the hash of that: what takes time is done before the transaction begins.
Encoded = tuple[NewJob, bytes, str]


def encode_job(job: NewJob) -> Encoded:
    """Check and encode a job. Raises InvalidRequest for what one of the databases could not store."""
    names = (job.tenant, job.model, job.custom_id or "", job.idempotency_key or "")
    if not is_storable("".join((*names, *job.metadata, *job.metadata.values()))):
        raise _unstorable(job)
    return job, *encode_request(job)


def _unstorable(job: NewJob) -> InvalidRequest:
    names = {"tenant": job.tenant, "model": job.model, "custom_id": job.custom_id, "key": job.idempotency_key}
    names.update({f"metadata {label!r}": label + value for label, value in job.metadata.items()})
    fields = ", ".join(field for field, name in names.items() if name is not None and not is_storable(name))
    problem = f"{fields}: a NUL or half a character cannot be stored."
    return InvalidRequest(public_id("job", job.id), problem, "Send Unicode text.")


def submit_jobs(store: Store | SharedWrites, jobs: Sequence[NewJob]) -> list[Submitted]:
    """Accept jobs, all or none; answers in the same order. A known id or idempotency key is the earlier job.

    Raises Conflict where the same key means another job, and InvalidRequest for what cannot be stored.
    """
    encoded = [encode_job(job) for job in jobs]
    return store.write(insert_jobs, encoded) if encoded else []


def insert_jobs(tx: Transaction, encoded: Sequence[Encoded]) -> list[Submitted]:
    """Accept jobs within a transaction that does more; else as ``submit_jobs``."""
    jobs = [job for job, _, _ in encoded]
    positions = _positions(tx, jobs)
    rows = [_row(job, hash_, place, tx.now) for (job, _, hash_), place in zip(encoded, positions, strict=True)]
    name_endpoints(tx, ((job.tenant, job.webhook) for job in jobs if job.webhook))
    new = {row.id for row in tx.run(INSERT_JOBS, rows=rows, now=tx.now, scheduled=SCHEDULED)}
    fresh = {job.id: (job, body) for job, body, _ in reversed(encoded) if job.id in new}
    tx.run(INSERT_REQUESTS, rows=[[id_, body, job.traceparent] for id_, (job, body) in fresh.items()])
    for job, _ in fresh.values():
        tx.moved(job.lane, job.batch, None, State.QUEUED if _start(job, tx.now) is None else State.DELAYED)
    tx.total("accepted", len(fresh))
    tx.crash_point("mid_insert")
    if len(fresh) == len(encoded):
        return [_accepted(job, tx.now) for job in jobs]
    return _answers(tx, encoded, new)


def _accepted(job: NewJob, now: int) -> Submitted:
    deadline, scheduled = to_seconds_or_none(_deadline(job, now)), _start(job, now) is not None
    return Submitted(job.id, job.lane, created=True, expires_at=deadline, scheduled=scheduled)


def _deadline(job: NewJob, now: int) -> int:
    return NEVER if job.expires_in is None else now + to_micros(job.expires_in)


def _start(job: NewJob, now: int) -> int | None:
    """Return when a job may start; None: at once."""
    at = None if job.not_before is None else to_micros(job.not_before.at(to_seconds(now)))
    return None if at is None or at <= now else at


def _row(job: NewJob, hash_: str, position: int | None, now: int) -> list[Any]:
    expires_in = None if job.expires_in is None else to_micros(job.expires_in)
    return [
        job.id,
        job.tenant,
        job.batch,
        job.custom_id,
        position,
        job.model,
        job.lane,
        job.priority,
        job.idempotency_key,
        hash_,
        encode_labels(job.metadata),
        job.need.input_tokens,
        job.need.output_tokens,
        encode_avoid(job.need.avoid, 0) if job.need.avoid else None,
        expires_in,
        _deadline(job, now),
        job.request.written and job.request.written.api.value,
        job.webhook and endpoint_id(job.tenant, job.webhook),
        _start(job, now),
    ]


def _positions(tx: Transaction, jobs: Sequence[NewJob]) -> list[int | None]:
    """Each job's place in its batch: its own, or the next free one, so that every job of a batch can be listed."""
    batches = sorted({job.batch for job in jobs if job.batch is not None})
    if not batches:
        return [job.position for job in jobs]
    if all(job.position is not None for job in jobs if job.batch is not None):
        return [job.position for job in jobs]
    tx.run(LOCK_BATCHES, ids=batches)  # two producers of one batch take turns
    next_free: dict[str, int] = dict.fromkeys(batches, 0)
    next_free.update(dict(tx.run(BATCH_SIZES, ids=batches)))
    positions: list[int | None] = []
    for job in jobs:
        if job.batch is None or job.position is not None:
            positions.append(job.position)
        else:
            positions.append(next_free[job.batch])
            next_free[job.batch] += 1
    return positions


def _answers(tx: Transaction, encoded: Sequence[Encoded], new: set[str]) -> list[Submitted]:
    """Who each job turned out to be, in order; the second of two equal ids in one call is the first."""
    jobs = [job for job, _, _ in encoded]
    by_id = {row.id: row for row in tx.run(KNOWN_IDS, ids=[job.id for job in jobs])}
    keys = [
        [job.tenant, job.idempotency_key] for job in jobs if job.id not in by_id and job.idempotency_key is not None
    ]
    by_key = {(row.tenant, row.idempotency_key): row for row in tx.run(KNOWN_KEYS, rows=keys)}
    answers = []
    for job, _, hash_ in encoded:
        row = by_id.get(job.id) or by_key.get((job.tenant, job.idempotency_key))
        answers.append(_answer(job, hash_, row, new, tx.now))
        new.discard(answers[-1].id)
    return answers


def _answer(job: NewJob, hash_: str, row: Any, new: set[str], now: int) -> Submitted:
    if row is None:
        raise NotFound("job", public_id("job", job.id))  # dropped between two statements: send it again
    if (row.request_hash, row.tenant) != (hash_, job.tenant):
        what = f"idempotency key {job.idempotency_key!r}" if job.idempotency_key else public_id("job", job.id)
        raise Conflict(what, "is taken by a job with another request. Send the first request, or use a new key.")
    return _accepted(job, now) if row.id in new else Submitted(row.id, row.lane, created=False)
