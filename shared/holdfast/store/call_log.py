"""What SQL says of calls and endings, in bulk: for whoever compares it with what providers saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from holdfast.model.job import State
from holdfast.model.records import AttemptRecord
from holdfast.store.micros import to_seconds
from holdfast.store.records import ATTEMPT, JOB, RESULT, read_attempt
from holdfast.store.transaction import Transaction

MARK = (RESULT.c.job, RESULT.c.generation, RESULT.c.fence, RESULT.c.state, RESULT.c.created_at)


@dataclass(frozen=True, slots=True)
class TerminalMark:
    """That a generation of a job ended, without what it ended with. ``at`` in seconds since the epoch."""

    job: str
    generation: int
    fence: int
    state: State
    at: float


@dataclass(frozen=True, slots=True)
class CallLog:
    """Of the jobs asked for: those that exist, every call, every ending."""

    jobs: frozenset[str]
    attempts: Sequence[AttemptRecord]
    ended: Sequence[TerminalMark]


def read_call_log(tx: Transaction, ids: Sequence[str]) -> CallLog:
    """Read the call log of a page of jobs."""
    jobs = tx.select(select(JOB.c.id).where(JOB.c.id.in_(ids)))
    attempts = tx.select(select(ATTEMPT).where(ATTEMPT.c.job.in_(ids)))
    ended = tx.select(select(*MARK).where(RESULT.c.job.in_(ids)))
    return CallLog(
        jobs=frozenset(row.id for row in jobs),
        attempts=[read_attempt(row) for row in attempts],
        ended=[TerminalMark(r.job, r.generation, r.fence, State(r.state), to_seconds(r.created_at)) for r in ended],
    )
