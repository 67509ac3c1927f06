"""Worker processes: one lease each, and the take-over of those whose lease ran out."""

from collections.abc import Callable
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.job import MAX_CRASHES, Outcome, State
from holdfast.model.records import TakenOver, WorkerRecord
from holdfast.store.micros import to_micros, to_seconds, to_seconds_or_none
from holdfast.store.sql import Statement
from holdfast.store.terminal import ended_by_others, write_terminal_records
from holdfast.store.transaction import Transaction

REGISTER = Statement("""
    insert into worker (id, host, pid, version, started_at, lease_until)
    values (:id, :host, :pid, :version, :now, :lease_until)
    on conflict (id) do update set lease_until = excluded.lease_until, stopped_at = null
""")
RENEW = Statement("""
    update worker set lease_until = :lease_until where id = :id and stopped_at is null returning id
""")
STOP = Statement("update worker set stopped_at = :now where id = :id and stopped_at is null")
WORKERS = Statement("""
    select id, host, pid, version, started_at, lease_until, stopped_at from worker
    where :live = 0 or (stopped_at is null and lease_until > :now) order by started_at, id
""")
LAPSED = Statement("""
    update worker set stopped_at = :now where stopped_at is null and lease_until <= :now returning id
""")
# Whoever holds jobs or open calls without a live lease, whatever the worker's row says or whether there is one.
GONE = Statement("""
    select held.worker from (
        select worker from job where state = 'running' union select worker from attempt where ended_at is null
    ) as held
    where not exists (
        select 1 from worker where worker.id = held.worker and stopped_at is null and lease_until > :now
    )
""")
HELD = Statement("""
    select id, worker from job where worker in ($ids) and state = 'running' order by id $skip_locked
""")
TAKE = Statement("""
    update job set
        state = case when crashes + 1 < :limit then 'queued' else 'dead' end,
        finished_at = case when crashes + 1 < :limit then null else cast(:now as bigint) end,
        fault = case when crashes + 1 < :limit then fault else 'poison' end,
        crashes = crashes + 1, worker = null, why_waiting = 'its worker died',
        calls = calls + ( -- two where it was hedged
            select count(*) from attempt
            where attempt.job = job.id and attempt.generation = job.generation and attempt.ended_at is null
        )
    where id in ($ids) and state || '' = 'running'
    returning id, generation, number, fence, lane, batch, state, tenant, custom_id, model
""")
LOSE_ATTEMPTS = Statement("""
    update attempt set ended_at = :now, outcome = 'unknown', message = 'its worker died'
    where worker in ($ids) and ended_at is null
    returning route
""")


def register_worker(tx: Transaction, id_: str, host: str, pid: int, version: str, *, lease: float) -> None:
    """Enter a worker process, or enter it again under a new lease."""
    tx.run(REGISTER, id=id_, host=host, pid=pid, version=version, now=tx.now, lease_until=tx.now + to_micros(lease))


def renew_lease(tx: Transaction, id_: str, lease: float) -> bool:
    """Lengthen a lease to so many seconds from now. False: it is lost, and the worker's jobs are others' now."""
    return bool(tx.run(RENEW, id=id_, lease_until=tx.now + to_micros(lease)))


def stop_worker(tx: Transaction, id_: str) -> None:
    """A worker has stopped of its own accord, and holds nothing."""
    tx.run(STOP, id=id_, now=tx.now)


def list_workers(tx: Transaction, *, live_only: bool = True) -> list[WorkerRecord]:
    """Worker processes, the longest-serving first."""
    return [_worker(row) for row in tx.run(WORKERS, live=int(live_only), now=tx.now)]


def _worker(row: Any) -> WorkerRecord:
    return WorkerRecord(
        id=row.id,
        host=row.host,
        pid=row.pid,
        version=row.version,
        started_at=to_seconds(row.started_at),
        lease_until=to_seconds(row.lease_until),
        stopped_at=to_seconds_or_none(row.stopped_at),
    )


def take_over(tx: Transaction, only_if: Callable[[], bool] = lambda: True) -> list[TakenOver]:
    """Queue the jobs of workers whose lease ran out; bury those that have killed too many.

    ``only_if`` is asked once the transaction has its turn to write, and knows what time it is for SQL. While it
    waited for that, so did everybody's renewal: with False nothing is done.
    """
    now = tx.now  # before the question: what takes long after that makes nobody's lease look older
    if not only_if():
        return []
    lapsed = {row.id for row in tx.run(LAPSED, now=now)}
    gone = sorted(lapsed | {row.worker for row in tx.run(GONE, now=now)})
    if not gone:
        return []
    holder = {row.id: row.worker for row in tx.run(HELD, ids=gone)}
    taken = tx.run(TAKE, ids=list(holder), limit=MAX_CRASHES, now=now)
    for lost in tx.run(LOSE_ATTEMPTS, ids=gone, now=now):
        tx.count("calls", lost.route, Outcome.UNKNOWN)
    tx.crash_point("mid_take_over")
    dead = [row for row in taken if row.state == State.DEAD]
    write_terminal_records(tx, [ended_by_others(row, State.DEAD, FaultKind.POISON) for row in dead], dead)
    for row in taken:
        tx.moved(row.lane, row.batch, State.RUNNING, State(row.state))
        if row.state == State.DEAD:
            tx.count("dead", FaultKind.POISON)
    return [_count(worker, [row for row in taken if holder[row.id] == worker]) for worker in gone]


def _count(worker: str, jobs: list[Any]) -> TakenOver:
    poisoned = sum(row.state == State.DEAD for row in jobs)
    return TakenOver(worker, requeued=len(jobs) - poisoned, poisoned=poisoned)
