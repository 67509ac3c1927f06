"""Breaking off: a worker gives up a job that Holdfast itself broke on, where nothing else can be recorded of it."""

from typing import Any

from holdfast.model.exception_fault import EXCEPTION
from holdfast.model.fault import FaultKind
from holdfast.model.job import MAX_EXCEPTIONS, Offer, Outcome, Permit, State
from holdfast.model.storable import storable
from holdfast.store.backlog import offers_of
from holdfast.store.claim import take
from holdfast.store.sql import Statement
from holdfast.store.terminal import ended_by_others, write_terminal_records
from holdfast.store.transaction import Transaction

ATTEMPTS = Statement("""
    select count(case when ended_at is null then 1 end) as running,
        count(case when ended_at is null or (attempt.fault = :fault and attempt.code = :code) then 1 end) as exceptions
    from job join attempt on attempt.job = job.id and attempt.generation = job.generation
    where job.id = :job
""")
BREAK_OFF = Statement("""
    update job set
        state = :state, finished_at = cast(:finished_at as bigint), fault = :fault, why_waiting = :why,
        worker = null, calls = calls + :calls
    where id = :job and worker = :worker and state = 'running'
    returning id, generation, number, fence, lane, batch, input_tokens, output_tokens, avoid, expires_at,
        tenant, custom_id, model
""")
# A job that was cancelled meanwhile is not held any more; its call has ended all the same.
END_ATTEMPTS = Statement("""
    update attempt set ended_at = :now, outcome = :outcome, fault = :fault, code = :code, message = :why
    where job = :job and worker = :worker and ended_at is null
    returning route
""")


def break_off(tx: Transaction, worker: str, job: str, why: str, *, sent: bool) -> list[Offer]:
    """Queue a job that ``worker`` holds, or bury it at its ``MAX_EXCEPTIONS``-th exception. Answers what to offer.

    ``why``: what broke. ``sent``: its call may have left, and counts as one that may have been billed.
    """
    said = {"fault": FaultKind.INTERNAL, "code": EXCEPTION}
    [found] = tx.run(ATTEMPTS, job=job, **said)
    state = State.DEAD if found.exceptions >= MAX_EXCEPTIONS else State.QUEUED
    finished_at, calls = tx.now if state is State.DEAD else None, found.running if sent else 0
    rows = tx.run(
        BREAK_OFF,
        job=job,
        worker=worker,
        state=state,
        finished_at=finished_at,
        fault=FaultKind.INTERNAL,
        why=storable(why),
        calls=calls,
    )
    _end_attempts(tx, worker, job, why, Outcome.UNKNOWN if sent else Outcome.ABANDONED)
    for row in rows:
        tx.moved(row.lane, row.batch, State.RUNNING, state)
    return _bury(tx, rows, why) if state is State.DEAD else offers_of(rows)


def refuse_claim(tx: Transaction, worker: str, permit: Permit, why: str) -> list[Offer]:
    """Break off a queued job whose claim broke: taken without being read, so that it is counted, and ends."""
    take(tx, worker, [permit])
    return break_off(tx, worker, permit.job, why, sent=False)


def _end_attempts(tx: Transaction, worker: str, job: str, why: str, outcome: Outcome) -> None:
    said = {"fault": FaultKind.INTERNAL, "code": EXCEPTION}
    for ended in tx.run(END_ATTEMPTS, job=job, worker=worker, why=storable(why), outcome=outcome, now=tx.now, **said):
        tx.count("calls", ended.route, outcome)
        tx.count("faults", ended.route, FaultKind.INTERNAL)
        tx.count("exceptions", ended.route)


def _bury(tx: Transaction, rows: Any, why: str) -> list[Offer]:
    write_terminal_records(tx, [ended_by_others(row, State.DEAD, FaultKind.INTERNAL, why) for row in rows], rows)
    for _ in rows:
        tx.count("dead", FaultKind.INTERNAL)
    return []
