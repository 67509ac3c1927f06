"""Claiming: a worker takes queued jobs under a new fence, and the attempt rows stand before a byte is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.exception_fault import EXCEPTION
from holdfast.model.fault import FaultKind
from holdfast.model.job import Claimed, Outcome, Permit, State
from holdfast.store.codec import decode_need
from holdfast.store.counters import observe
from holdfast.store.micros import to_seconds_or_none
from holdfast.store.records import fault_or_none
from holdfast.store.request_codec import decode_request
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

# A worker whose lease ran out may have been taken over already: it must renew before it starts another call.
CLAIM = Statement("""
    update job set state = 'running', fence = fence + 1, number = number + 1, worker = :worker, why_waiting = null
    where id in ($ids) and state || '' = 'queued' and expires_at > :now
    and exists (select 1 from worker where worker.id = :worker and stopped_at is null and lease_until > :now)
    returning id, tenant, batch, custom_id, model, lane, generation, fence, number, attempts, calls, tries,
        input_tokens, output_tokens, avoid, expires_at, fault, output_ceiling,
        coalesce(not_before, created_at) as waits_since
""")
START_ATTEMPTS = Statement("""
    with v as ($rows(job text, generation bigint, number bigint, route text, credential text, fence bigint))
    insert into attempt (
        job, generation, number, route, credential, fence, worker, started_at, input_tokens, output_tokens, cost_micros
    )
    select v.*, :worker, :now, 0, 0, 0 from v where true
""")
EARLIER = Statement("""
    with v as ($rows(job text, generation bigint, number bigint))
    select attempt.job, attempt.route, coalesce(attempt.fault, attempt.outcome) as fault
    from v join attempt
    on attempt.job = v.job and attempt.generation = v.generation and attempt.number = v.number
""")
EXCEPTIONS = Statement("""
    with v as ($rows(job text, generation bigint))
    select attempt.job, count(*) as exceptions
    from v join attempt on attempt.job = v.job and attempt.generation = v.generation
    where attempt.fault = :fault and attempt.code = :code
    group by attempt.job
""")
REQUESTS = Statement("select job, body, traceparent from request where job in ($ids)")


def claim(tx: Transaction, worker: str, permits: Sequence[Permit]) -> list[Claimed]:
    """Take the permits' jobs. Left out: what is not queued or has expired, and all for a worker without a lease."""
    rows = take(tx, worker, permits)
    if not rows:
        return []
    requests = {request.job: request for request in tx.run(REQUESTS, ids=[row.id for row in rows])}
    exceptions = _exceptions(tx, rows)
    tx.crash_point("mid_claim")
    return [_claimed(row, requests[row.id], exceptions.get(row.id, 0)) for row in rows]


def take(tx: Transaction, worker: str, permits: Sequence[Permit]) -> Sequence[Any]:
    """Make the permits' jobs ``worker``'s, each with the row of its next attempt. Answers the rows of the jobs."""
    by_job = {permit.job: permit for permit in permits}
    rows = tx.run(CLAIM, ids=list(by_job), worker=worker, now=tx.now) if by_job else ()
    if rows:
        tx.run(START_ATTEMPTS, rows=[_attempt(row, by_job[row.id]) for row in rows], worker=worker, now=tx.now)
    for row in rows:
        tx.moved(row.lane, row.batch, State.QUEUED, State.RUNNING)
        if row.generation == row.number == 1:
            observe(tx, "queue_wait", tx.now - row.waits_since)
    _count_repeats(tx, rows, by_job)
    return rows


def _exceptions(tx: Transaction, rows: Sequence[Any]) -> dict[str, int]:
    """Count, for jobs that were called before, the attempts that ended with an exception of ours."""
    again = [[row.id, row.generation] for row in rows if row.number > 1]
    found = tx.run(EXCEPTIONS, rows=again, fault=FaultKind.INTERNAL, code=EXCEPTION) if again else ()
    return {row.job: int(row.exceptions) for row in found}


def _count_repeats(tx: Transaction, rows: Sequence[Any], by_job: Mapping[str, Permit]) -> None:
    """Count calls of jobs that were called before: on the same route, or on another by what the call before came to."""
    again = [[row.id, row.generation, row.number - 1] for row in rows if row.number > 1]
    for earlier in tx.run(EARLIER, rows=again) if again else ():
        route = by_job[earlier.job].route
        if route != earlier.route:
            tx.count("reroutes", earlier.route, route, earlier.fault or Outcome.UNKNOWN)
        else:
            tx.count("retries", route)


def _attempt(row: Any, permit: Permit) -> list[Any]:
    return [row.id, row.generation, row.number, permit.route, permit.credential, row.fence]


def _claimed(row: Any, request: Any, exceptions: int) -> Claimed:
    return Claimed(
        id=row.id,
        lane=row.lane,
        model=row.model,
        generation=row.generation,
        fence=row.fence,
        attempt_number=row.number,
        attempts=row.attempts,
        calls=row.calls,
        tries=row.tries,
        need=decode_need(row),
        request=decode_request(request.body),
        expires_at=to_seconds_or_none(row.expires_at),
        custom_id=row.custom_id,
        tenant=row.tenant,
        fault=fault_or_none(row.fault),
        output_ceiling=row.output_ceiling,
        exceptions=exceptions,
        traceparent=request.traceparent,
    )
