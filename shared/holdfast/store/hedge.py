"""Hedging: a second call for a job that its worker holds. Its row stands before a byte is sent, under the same fence.

Two attempts of one fence are a hedge, and nothing else makes two: every claim takes a new fence.
"""

from holdfast.model.job import Claimed, Permit
from holdfast.store.claim import START_ATTEMPTS
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

NUMBER = Statement("""
    update job set number = number + 1
    where id = :job and fence = :fence and state = 'running' and worker = :worker
    and exists (select 1 from worker where worker.id = :worker and stopped_at is null and lease_until > :now)
    returning generation, number
""")


def hedge(tx: Transaction, worker: str, job: Claimed, permit: Permit) -> int | None:
    """Write the row of a second call for a running job. Answers its number; None: the job is not ``worker``'s."""
    numbered = tx.run(NUMBER, job=job.id, fence=job.fence, worker=worker, now=tx.now)
    for row in numbered:
        attempt = [job.id, row.generation, row.number, permit.route, permit.credential, job.fence]
        tx.run(START_ATTEMPTS, rows=[attempt], worker=worker, now=tx.now)
    tx.crash_point("mid_hedge")
    return numbered[0].number if numbered else None
