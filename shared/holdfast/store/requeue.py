"""Requeueing: a worker that lives on gives up jobs that nobody in it runs, or all of them when it stops."""

from collections.abc import Sequence

from holdfast.model.job import Offer, Outcome, State
from holdfast.store.backlog import offers_of
from holdfast.store.micros import to_micros
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

HELD = Statement("select id from job where worker = :worker and state = 'running'")
HELD_OR_CALLED = Statement("""
    select id from job where worker = :worker and state = 'running'
    union select job as id from attempt where worker = :worker and ended_at is null
""")
RETURN = Statement("""
    update job set state = 'queued', worker = null, why_waiting = 'handed back by its worker',
        calls = calls + :sent * ( -- two where it was hedged
            select count(*) from attempt
            where attempt.job = job.id and attempt.generation = job.generation and attempt.ended_at is null
        )
    where id in ($ids) and worker = :worker and state = 'running'
    returning id, lane, batch, input_tokens, output_tokens, avoid, expires_at
""")
END_ATTEMPTS = Statement("""
    update attempt set ended_at = :now, outcome = :outcome, message = 'handed back by its worker'
    where job in ($ids) and worker = :worker and ended_at is null
    returning route
""")
# No index holds the dates of calls. One that began lately is still open, or it is among those of the newest jobs that
# ever began, unless every call of the last minute was a retry of a job from long before.
OPEN = Statement("select 1 from attempt where ended_at is null limit 1")
CALLED = Statement("""
    select 1 from (select started_at from attempt order by job desc limit 20000) as newest
    where started_at > :since limit 1
""")


def requeue(tx: Transaction, worker: str, jobs: Sequence[str] | None) -> list[Offer]:
    """Queue jobs that ``worker`` holds. None: all it holds, whose calls may have been sent and may be billed."""
    sent = jobs is None
    ids = [row.id for row in tx.run(HELD, worker=worker)] if jobs is None else list(jobs)
    rows = tx.run(RETURN, ids=ids, worker=worker, sent=int(sent))
    outcome = Outcome.UNKNOWN if sent else Outcome.ABANDONED
    for ended in tx.run(END_ATTEMPTS, ids=[row.id for row in rows], worker=worker, outcome=outcome, now=tx.now):
        tx.count("calls", ended.route, outcome)
    for row in rows:
        tx.moved(row.lane, row.batch, State.RUNNING, State.QUEUED)
    return offers_of(rows)


def find_held(tx: Transaction, worker: str) -> frozenset[str]:
    """The jobs that ``worker`` holds, and those of which it has a call open."""
    return frozenset(row.id for row in tx.run(HELD_OR_CALLED, worker=worker))


def called_within(tx: Transaction, seconds: float) -> bool:
    """Whether any call started in the last ``seconds``, or has not ended yet."""
    return bool(tx.run(OPEN)) or bool(tx.run(CALLED, since=tx.now - to_micros(seconds)))
