"""Hedging: a second call for a job that its worker holds. Its row stands before a byte is sent, under the same fence.

Two attempts of one fence are a hedge, and nothing else makes two: every claim takes a new fence.
"""

from collections.abc import Sequence

from holdfast.config import crash_point
from holdfast.model.job import Claimed, Permit
from holdfast.store.claim import START_ATTEMPTS
from holdfast.store.database import Transaction
from holdfast.store.sql import Statement

NUMBER = Statement("""
    with v as ($rows(id text, fence bigint))
    update job set number = job.number + 1
    from v where job.id = v.id and job.fence = v.fence and job.state = 'running' and job.worker = :worker
    and exists (select 1 from worker where worker.id = :worker and stopped_at is null and lease_until > :now)
    returning job.id, job.fence, job.generation, job.number
""")


def hedge(tx: Transaction, worker: str, requests: Sequence[tuple[Claimed, Permit]]) -> list[int | None]:
    """Write the row of each second call. Answers its number; None: the job is not the worker's any more."""
    numbers = {
        (row.id, row.fence): (row.generation, row.number)
        for row in tx.run(NUMBER, rows=sorted([job.id, job.fence] for job, _ in requests), worker=worker, now=tx.now)
    }
    rows = [
        [job.id, *numbers[job.id, job.fence], permit.route, permit.credential, job.fence]
        for job, permit in requests
        if (job.id, job.fence) in numbers
    ]
    if rows:
        tx.run(START_ATTEMPTS, rows=rows, worker=worker, now=tx.now)
    crash_point("mid_hedge")
    found = (numbers.get((job.id, job.fence)) for job, _ in requests)
    return [number and number[1] for number in found]
