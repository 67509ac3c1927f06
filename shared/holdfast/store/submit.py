"""Accepting jobs: many rows in one transaction, and a repeated submit is the same job."""

from collections.abc import Sequence
from typing import Any

import orjson

from holdfast.model.errors import Conflict, InvalidRequest, NotFound
from holdfast.model.ids import public_id
from holdfast.model.job import NewJob, State, Submitted
from holdfast.store.database import Transaction
from holdfast.store.micros import NEVER, to_micros
from holdfast.store.pack import deflate, pack_avoid, pack_labels, pack_request, request_hash
from holdfast.store.sql import Statement

INSERT_JOBS = Statement("""
    with v as ($rows(
        id text, tenant text, batch text, custom_id text, position bigint, model text, lane text, priority text,
        idempotency_key text, request_hash text, labels text, input_tokens bigint, output_tokens bigint, avoid text,
        expires_in bigint, expires_at bigint
    ))
    insert into job (
        id, tenant, batch, custom_id, position, model, lane, priority,
        idempotency_key, request_hash, labels, input_tokens, output_tokens, avoid, expires_in, expires_at,
        created_at, state, generation, fence, number, attempts, calls, tries, crashes
    )
    select v.*, :now, 'queued', 1, 0, 0, 0, 0, 0, 0 from v where true
    on conflict do nothing
    returning id
""")
INSERT_REQUESTS = Statement("""
    with v as ($rows(job text, body bytes))
    insert into request (job, body) select job, body from v where true
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


def submit(tx: Transaction, jobs: Sequence[NewJob]) -> list[Submitted]:
    """Accept ``jobs``, or find those accepted before. Raises Conflict where the same key means another job."""
    packed = [pack_request(job) for job in jobs]
    hashes = [request_hash(job, body) for job, body in zip(jobs, packed, strict=True)]
    positions = _positions(tx, jobs)
    rows = [_row(job, digest, position, tx.now) for job, digest, position in zip(jobs, hashes, positions, strict=True)]
    new = {row.id for row in _insert(tx, jobs, rows)}
    fresh = {job.id: (job, body) for job, body in reversed(list(zip(jobs, packed, strict=True))) if job.id in new}
    tx.run(INSERT_REQUESTS, rows=[[id_, deflate(body)] for id_, (_, body) in fresh.items()])
    for job, _ in fresh.values():
        tx.moved(job.lane, job.batch, None, State.QUEUED)
    tx.total("accepted", len(fresh))
    if len(fresh) == len(jobs):
        return [Submitted(job.id, job.lane, created=True) for job in jobs]
    return _answers(tx, jobs, hashes, new)


def _insert(tx: Transaction, jobs: Sequence[NewJob], rows: list[list[Any]]) -> Sequence[Any]:
    try:
        return tx.run(INSERT_JOBS, rows=rows, now=tx.now)
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"{len(jobs)} jobs", f"a name or a label cannot be stored: {error}.") from None


def _row(job: NewJob, digest: str, position: int | None, now: int) -> list[Any]:
    patience = None if job.expires_in is None else to_micros(job.expires_in)
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
        digest,
        pack_labels(job.metadata),
        job.need.input_tokens,
        job.need.output_tokens,
        pack_avoid(job.need.avoid, 0) if job.need.avoid else None,
        patience,
        NEVER if patience is None else now + patience,
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


def _answers(tx: Transaction, jobs: Sequence[NewJob], hashes: Sequence[str], new: set[str]) -> list[Submitted]:
    """Who each job turned out to be, in order; the second of two equal ids in one call is the first."""
    by_id = {row.id: row for row in tx.run(KNOWN_IDS, ids=[job.id for job in jobs])}
    keys = [
        [job.tenant, job.idempotency_key] for job in jobs if job.idempotency_key is not None and job.id not in by_id
    ]
    by_key = {(row.tenant, row.idempotency_key): row for row in tx.run(KNOWN_KEYS, rows=keys)}
    answers = []
    for job, digest in zip(jobs, hashes, strict=True):
        row = by_id.get(job.id) or by_key.get((job.tenant, job.idempotency_key))
        if row is None:
            raise NotFound("job", public_id("job", job.id))  # dropped between two statements: send it again
        if row.request_hash != digest or row.tenant != job.tenant:
            what = f"idempotency key {job.idempotency_key!r}" if job.idempotency_key else public_id("job", job.id)
            raise Conflict(what, "is taken by a job with another request. Send the first request, or use a new key.")
        answers.append(Submitted(row.id, row.lane, created=row.id in new))
        new.discard(row.id)
    return answers
