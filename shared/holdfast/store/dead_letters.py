"""Dead letters: grouped by what they died of, put back to work at a pace, or dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, and_, column, func, select

from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.model.records import AttemptRecord, FaultGroup, JobFilter, ReplayEdit, RouteWords
from holdfast.policy.dead_causes import UNKNOWN_CAUSE, normal_message
from holdfast.store.jobs import conditions, count_jobs, read_attempts, read_results
from holdfast.store.micros import to_seconds
from holdfast.store.records import JOB, RESULT
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

# A new generation of the same job: nothing of the last one counts against it, and its time to live starts anew.
REPLAY = Statement("""
    with v as ($rows(id text, available_at bigint))
    update job set
        model = coalesce(:model, job.model), lane = coalesce(:model || '.' || job.priority, job.lane),
        state = :after, available_at = v.available_at, generation = job.generation + 1,
        expires_at = case when job.expires_in is null then $never
                     else coalesce(v.available_at, cast(:now as bigint)) + job.expires_in end,
        number = 0, attempts = 0, calls = 0, tries = 0, crashes = 0,
        avoid = null, output_ceiling = null, fault = null, finished_at = null, why_waiting = :why
    from v where job.id = v.id and job.state || '' = :before
    returning job.id, job.lane, job.batch
""")
# What was dropped stays in the books: calls and their cost were real.
SPENT = Statement("""
    select count(*) as calls, coalesce(sum($least(input_tokens, $most_tokens)), 0) as input,
        coalesce(sum($least(output_tokens, $most_tokens)), 0) as output,
        coalesce(sum($least(cost_micros, $most_cost)), 0) as cost
    from attempt where job in ($ids)
""")
DROP_JOBS = Statement("delete from job where id in ($ids) and state || '' = 'dead' returning id, lane, batch, fault")
DROP_PARTS = tuple(
    Statement(f"delete from {table} where job in ($ids)")  # noqa: S608 - the names stand in this line
    for table in ("request", "attempt", "result", "response")
)
DEAD = frozenset({State.DEAD})
REPLAYABLE = frozenset({State.DEAD, State.EXPIRED})
MOST_GROUPS = 200  # that are told of; there may be as many causes as letters
ENDS = (func.min(JOB.c.finished_at).label("oldest"), func.max(JOB.c.finished_at).label("newest"))
NEED = (column("input_tokens", BigInteger), column("output_tokens", BigInteger))
NO_EDIT = ReplayEdit()


def dead_groups(tx: Transaction, where: JobFilter) -> list[FaultGroup]:
    """Dead letters by what they died of, the largest groups first."""
    jobs, newest = func.count().label("jobs"), func.max(JOB.c.id)
    its = and_(RESULT.c.job == JOB.c.id, RESULT.c.generation == JOB.c.generation)
    query = (
        select(RESULT.c.cause, JOB.c.fault, JOB.c.lane, jobs, *ENDS, newest.label("sample"))
        .select_from(JOB.outerjoin(RESULT, its))
        .where(*conditions(replace(where, states=DEAD)))
        .group_by(RESULT.c.cause, JOB.c.fault, JOB.c.lane)
    )
    found: dict[tuple[str, str], list[Any]] = {}
    for row in tx.select(query):
        found.setdefault((row.cause or UNKNOWN_CAUSE, row.fault), []).append(row)
    groups = [_group(cause, FaultKind(fault), rows) for (cause, fault), rows in found.items()]
    largest = sorted(groups, key=lambda group: (-group.jobs, group.fault, group.cause))[:MOST_GROUPS]
    return [_told(tx, group) for group in largest]


def _group(cause: str, fault: FaultKind, rows: Sequence[Any]) -> FaultGroup:
    """Put the lanes of one cause together."""
    return FaultGroup(
        cause=cause,
        fault=fault,
        jobs=sum(row.jobs for row in rows),
        lanes={row.lane: int(row.jobs) for row in sorted(rows, key=lambda row: (-row.jobs, row.lane))},
        oldest=to_seconds(min(row.oldest for row in rows)),
        newest=to_seconds(max(row.newest for row in rows)),
        sample=max(row.sample for row in rows),
    )


def _told(tx: Transaction, group: FaultGroup) -> FaultGroup:
    """Add what the sample of a group was told, by the call that ended it and by every route that it was called on."""
    results = read_results(tx, [group.sample])
    if not results:
        return group
    result = results[max(results)]
    calls = [each for each in read_attempts(tx, [group.sample]) if each.generation == result.generation]
    words = normal_message(result.message or "", result.route)
    return replace(group, route=result.route, status=_status(calls), code=result.code, message=words, said=_said(calls))


def _status(calls: Sequence[AttemptRecord]) -> int | None:
    return calls[-1].status if calls else None


def _said(calls: Sequence[AttemptRecord]) -> tuple[RouteWords, ...]:
    by_route: dict[str, list[AttemptRecord]] = {}
    for call in calls:
        by_route.setdefault(call.route, []).append(call)
    return tuple(
        RouteWords(route, len(its), its[-1].fault, its[-1].status, its[-1].message) for route, its in by_route.items()
    )


@dataclass(frozen=True, slots=True)
class Demand:
    """What jobs of one model would ask of a route. ``input`` and ``output``: tokens, as estimated when they came."""

    model: str
    jobs: int
    input: int
    output: int


def read_demand(tx: Transaction, where: JobFilter, limit: int | None) -> list[Demand]:
    """What a bulk action with this filter would take now, by model."""
    chosen = (
        select(JOB.c.model, *NEED)
        .select_from(JOB)
        .where(*conditions(replace(where, states=_replayable(where))))
        .order_by(JOB.c.finished_at, JOB.c.id)
        .limit(limit)
        .subquery()
    )
    sums = (func.count().label("jobs"), func.sum(chosen.c.input_tokens).label("input"),
            func.sum(chosen.c.output_tokens).label("output"))  # fmt: skip
    rows = tx.select(select(chosen.c.model, *sums).group_by(chosen.c.model).order_by(chosen.c.model))
    return [Demand(row.model, int(row.jobs), int(row.input), int(row.output)) for row in rows]


def newest_end(tx: Transaction, where: JobFilter) -> int:
    """When the newest that a bulk action may take ended, in microseconds; 0 where there is none."""
    query = select(func.max(JOB.c.finished_at)).where(*conditions(replace(where, states=_replayable(where))))
    return tx.select(query)[0][0] or 0


def count_replayable(tx: Transaction, where: JobFilter) -> int:
    """How many jobs a bulk action with this filter may take now."""
    return count_jobs(tx, replace(where, states=_replayable(where)))


def _replayable(where: JobFilter) -> frozenset[State]:
    return (where.states or DEAD) & REPLAYABLE


def replay(  # noqa: PLR0917 - a page in full
    tx: Transaction,
    where: JobFilter,
    limit: int,
    start: int,
    gap: int,
    edit: ReplayEdit = NO_EDIT,
    lanes: Sequence[str] | None = None,
) -> int:
    """Put dead letters back to work, oldest first, as a new generation of the same job; expired ones when asked for.

    The first of them starts at ``start``, every other one ``gap`` after the one before it, both in microseconds.
    ``lanes``: only those of these. Answers how many.
    """
    chosen = _choose(tx, where, _replayable(where), limit, lanes)
    letters, moved = {row.id: row for row in chosen}, 0
    for before in sorted(REPLAYABLE):
        rows = [(row.id, start + place * gap) for place, row in enumerate(chosen) if row.state == before]
        moved += _replay(tx, before, State.QUEUED, [[id_, None] for id_, at in rows if at <= tx.now], letters, edit)
        moved += _replay(tx, before, State.DELAYED, [[id_, at] for id_, at in rows if at > tx.now], letters, edit)
    if edit.max_tokens is not None and chosen:
        from holdfast.store.replay_edit import raise_maximum  # noqa: PLC0415 - it reads requests, which few need

        raise_maximum(tx, list(letters), edit.max_tokens)
    tx.crash_point("mid_replay")
    return moved


def _replay(  # noqa: PLR0917 - a move in full
    tx: Transaction, before: State, after: State, rows: list[list[Any]], letters: Mapping[str, Any], edit: ReplayEdit
) -> int:
    if not rows:
        return 0
    moved = tx.run(
        REPLAY, rows=rows, before=before, after=after, why="replayed by an operator", now=tx.now, model=edit.model
    )
    for row in moved:
        letter = letters[row.id]
        if row.lane == letter.lane:
            tx.moved(row.lane, row.batch, before, after)
        else:
            tx.moved(letter.lane, row.batch, before, None)
            tx.moved(row.lane, row.batch, None, after)
        if before is State.DEAD:
            tx.count("dead", letter.fault, amount=-1)
    return len(moved)


def drop(tx: Transaction, where: JobFilter, limit: int) -> int:
    """Remove dead letters with all that belongs to them, oldest first. Answers how many."""
    dropped = drop_letters(tx, [row.id for row in _choose(tx, where, DEAD, limit)])
    tx.crash_point("mid_drop")
    return len(dropped)


def drop_letters(tx: Transaction, ids: Sequence[str]) -> frozenset[str]:
    """Remove these jobs with all that belongs to them, where they are dead. Answers which were."""
    dropped = tx.run(DROP_JOBS, ids=list(ids)) if ids else ()
    if dropped:
        drop_parts(tx, [row.id for row in dropped])
    for row in dropped:
        tx.moved(row.lane, row.batch, State.DEAD, None)
        tx.count("dead", row.fault, amount=-1)
    return frozenset(row.id for row in dropped)


def oldest(tx: Transaction, where: JobFilter, limit: int) -> list[str]:
    """List the ids of dead letters, oldest first."""
    query = select(JOB.c.id).where(*conditions(replace(where, states=DEAD)))
    return [row.id for row in tx.select(query.order_by(JOB.c.finished_at, JOB.c.id).limit(limit))]


def drop_parts(tx: Transaction, ids: Sequence[str]) -> None:
    """Remove all that belonged to deleted jobs, and add what they spent to the books."""
    spent = tx.run(SPENT, ids=ids)[0]
    for part in DROP_PARTS:
        tx.run(part, ids=ids)
    figures = {"": len(ids), "_calls": spent.calls, "_input_tokens": spent.input, "_output_tokens": spent.output}
    for name, amount in (figures | {"_cost_micros": spent.cost}).items():
        tx.total(f"dropped{name}", int(amount))


def _choose(
    tx: Transaction, where: JobFilter, states: frozenset[State], limit: int, lanes: Sequence[str] | None = None
) -> Sequence[Any]:
    only = [] if lanes is None else [JOB.c.lane.in_(lanes)]
    query = (
        select(JOB.c.id, JOB.c.state, JOB.c.fault, JOB.c.lane)
        .where(*conditions(replace(where, states=states)), *only)
        .order_by(JOB.c.finished_at, JOB.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx.select(query)
