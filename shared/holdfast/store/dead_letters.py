"""Dead letters: grouped by what they died of, put back to work at a pace, or dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.model.records import FaultGroup, JobFilter
from holdfast.store.jobs import conditions
from holdfast.store.micros import to_seconds
from holdfast.store.records import JOB
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

# A new generation of the same job: nothing of the last one counts against it, and its time to live starts anew.
REPLAY = Statement("""
    with v as ($rows(id text, available_at bigint))
    update job set
        state = :after, available_at = v.available_at, generation = job.generation + 1,
        expires_at = case when job.expires_in is null then $never
                     else coalesce(v.available_at, cast(:now as bigint)) + job.expires_in end,
        number = 0, attempts = 0, calls = 0, tries = 0, crashes = 0,
        avoid = null, output_ceiling = null, fault = null, finished_at = null, why_waiting = :why
    from v where job.id = v.id and job.state = :before
    returning job.id, job.lane, job.batch
""")
# What was dropped stays in the books: calls and their cost were real.
SPENT = Statement("""
    select count(*) as calls, coalesce(sum($least(input_tokens, $most_tokens)), 0) as input,
        coalesce(sum($least(output_tokens, $most_tokens)), 0) as output,
        coalesce(sum($least(cost_micros, $most_cost)), 0) as cost
    from attempt where job in ($ids)
""")
DROP_JOBS = Statement("delete from job where id in ($ids) and state = 'dead' returning id, lane, batch, fault")
DROP_PARTS = tuple(
    Statement(f"delete from {table} where job in ($ids)")  # noqa: S608 - the names stand in this line
    for table in ("request", "attempt", "result", "response")
)
DEAD = frozenset({State.DEAD})
REPLAYABLE = frozenset({State.DEAD, State.EXPIRED})


def dead_groups(tx: Transaction, where: JobFilter) -> list[FaultGroup]:
    """Dead letters by lane and fault, largest group first."""
    jobs = func.count().label("jobs")
    query = (
        select(JOB.c.lane, JOB.c.fault, jobs, func.min(JOB.c.finished_at), func.max(JOB.c.finished_at))
        .where(*conditions(replace(where, states=DEAD)))
        .group_by(JOB.c.lane, JOB.c.fault)
        .order_by(jobs.desc(), JOB.c.lane, JOB.c.fault)
    )
    return [
        FaultGroup(lane, FaultKind(fault), count, to_seconds(oldest), to_seconds(newest))
        for lane, fault, count, oldest, newest in tx.select(query)
    ]


def newest_end(tx: Transaction, where: JobFilter) -> int:
    """When the newest that a bulk action may take ended, in microseconds; 0 where there is none."""
    query = select(func.max(JOB.c.finished_at)).where(*conditions(replace(where, states=_replayable(where))))
    return tx.select(query)[0][0] or 0


def _replayable(where: JobFilter) -> frozenset[State]:
    return (where.states or DEAD) & REPLAYABLE


def replay(tx: Transaction, where: JobFilter, limit: int, start: int, gap: int) -> int:
    """Put dead letters back to work, oldest first, as a new generation of the same job; expired ones when asked for.

    The first of them starts at ``start``, every other one ``gap`` after the one before it, both in microseconds.
    Answers how many.
    """
    chosen = _choose(tx, where, _replayable(where), limit)
    faults = {row.id: row.fault for row in chosen if row.state == State.DEAD}
    moved = 0
    for before in sorted(REPLAYABLE):
        rows = [(row.id, start + place * gap) for place, row in enumerate(chosen) if row.state == before]
        moved += _replay(tx, before, State.QUEUED, [[id_, None] for id_, date in rows if date <= tx.now], faults)
        moved += _replay(tx, before, State.DELAYED, [[id_, date] for id_, date in rows if date > tx.now], faults)
    tx.crash_point("mid_replay")
    return moved


def _replay(tx: Transaction, before: State, after: State, rows: list[list[Any]], faults: Mapping[str, str]) -> int:
    if not rows:
        return 0
    moved = tx.run(REPLAY, rows=rows, before=before, after=after, why="replayed by an operator", now=tx.now)
    for row in moved:
        tx.moved(row.lane, row.batch, before, after)
        if row.id in faults:
            tx.count("dead", faults[row.id], amount=-1)
    return len(moved)


def drop(tx: Transaction, where: JobFilter, limit: int) -> int:
    """Remove dead letters with all that belongs to them, oldest first. Answers how many."""
    chosen = [row.id for row in _choose(tx, where, DEAD, limit)]
    if not chosen:
        return 0
    dropped = tx.run(DROP_JOBS, ids=chosen)
    drop_parts(tx, [row.id for row in dropped])
    for row in dropped:
        tx.moved(row.lane, row.batch, State.DEAD, None)
        tx.count("dead", row.fault, amount=-1)
    tx.crash_point("mid_drop")
    return len(dropped)


def drop_parts(tx: Transaction, ids: Sequence[str]) -> None:
    """Remove all that belonged to deleted jobs, and add what they spent to the books."""
    spent = tx.run(SPENT, ids=ids)[0]
    for part in DROP_PARTS:
        tx.run(part, ids=ids)
    figures = {"": len(ids), "_calls": spent.calls, "_input_tokens": spent.input, "_output_tokens": spent.output}
    for name, amount in (figures | {"_cost_micros": spent.cost}).items():
        tx.total(f"dropped{name}", int(amount))


def _choose(tx: Transaction, where: JobFilter, states: frozenset[State], limit: int) -> Sequence[Any]:
    query = (
        select(JOB.c.id, JOB.c.state, JOB.c.fault)
        .where(*conditions(replace(where, states=states)))
        .order_by(JOB.c.finished_at, JOB.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx.select(query)
