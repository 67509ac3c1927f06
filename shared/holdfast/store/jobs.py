"""Looking: one job, many jobs, what ended in a batch. Nothing here writes."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text, union_all

from holdfast.model.job import TERMINAL, Priority, State, lane_name
from holdfast.model.records import AttemptRecord, FinishedJob, JobDetail, JobFilter, JobRecord, ResultRecord
from holdfast.policy.dead_causes import UNKNOWN_CAUSE
from holdfast.store.micros import to_micros
from holdfast.store.records import ATTEMPT, JOB, REQUEST, RESULT, read_attempt, read_job, read_result
from holdfast.store.sql import ENDED, Statement
from holdfast.store.transaction import Transaction

if TYPE_CHECKING:
    from holdfast.model.request import Request

MOST_PARTS = 200  # of one list; beyond it, jobs are read in the order of their ids until a page is full
LANES = Statement("select distinct name from tally where kind = 'lane' order by name")
STATES = Statement("""
    select id, state from job where id in ($ids) and (cast(:tenant as text) is null or tenant = :tenant)
""")
# In words of their own where many wait for a few jobs: SQLAlchemy takes longer to write them than SQLite to answer.
ENDED_JOBS = Statement(
    f"select {', '.join(JOB.c.keys())} from job where id in ($ids) and state || '' in ({ENDED})"  # noqa: S608 - names of columns
)
RESULTS = Statement(f"select {', '.join(RESULT.c.keys())} from result where job in ($ids)")  # noqa: S608 - the same
LAST_MESSAGE = Statement("""
    select message from attempt where job = :job and generation = :generation and fault = :fault
    order by number desc limit 1
""")


def conditions(where: JobFilter) -> list[ColumnElement[bool]]:
    """``where`` as SQL; every field narrows."""
    equal = {
        "tenant": where.tenant,
        "model": where.model,
        "lane": where.lane,
        "batch": where.batch,
        "custom_id": where.custom_id,
        "fault": where.fault,
    }
    found: list[ColumnElement[bool]] = [JOB.c[name] == value for name, value in equal.items() if value is not None]
    if where.states is not None:
        found.append(_in_states(where.states))
    if where.cause is not None:
        found.append(_of_cause(where.cause))
    if where.ids is not None:
        found.append(JOB.c.id.in_(where.ids))
    dates = (
        (where.created_after, JOB.c.created_at.__ge__),
        (where.created_before, JOB.c.created_at.__lt__),
        (where.finished_after, JOB.c.finished_at.__ge__),
        (where.finished_before, JOB.c.finished_at.__lt__),
    )
    return found + [compare(to_micros(date)) for date, compare in dates if date is not None]


def _of_cause(cause: str) -> ColumnElement[bool]:
    end = RESULT.alias()  # whoever asks may read results as well
    its = and_(end.c.job == JOB.c.id, end.c.generation == JOB.c.generation)
    named = end.c.cause.is_(None) if cause == UNKNOWN_CAUSE else end.c.cause == cause
    return select(end.c.job).where(its, named).correlate(JOB).exists()


def _in_states(states: frozenset[State]) -> ColumnElement[bool]:
    """States stand in the text, not in parameters: only then do the partial indexes serve."""
    return or_(false(), *(JOB.c.state == text(f"'{state}'") for state in sorted(states)))


def last_message(tx: Transaction, job: str, generation: int, fault: str) -> str | None:
    """What was said of the last call of a job's generation that ended with a fault of this kind. None: none did."""
    found = tx.run(LAST_MESSAGE, job=job, generation=generation, fault=fault)
    return found[0].message if found else None


def find_job(tx: Transaction, id_: str, tenant: str | None = None) -> JobRecord | None:
    """The job; None where there is none, or it is another tenant's."""
    where = JobFilter(ids=(id_,), tenant=tenant)
    found = list_jobs(tx, where, 1)
    return found[0] if found else None


def list_jobs(tx: Transaction, where: JobFilter, limit: int = 50, cursor: str | None = None) -> list[JobRecord]:
    """Newest first; ``cursor`` is the id that the last page ended with."""
    asked = conditions(where) + ([] if cursor is None else [JOB.c.id < cursor])
    query = select(JOB).where(*asked)
    if parts := _parts(tx, where):
        pages = [newest(select(JOB.c.id).where(part, *asked), limit).subquery() for part in parts]
        query = select(JOB).where(JOB.c.id.in_(union_all(*(select(page.c.id) for page in pages))))
    return [read_job(row) for row in tx.select(newest(query, limit))]


def newest(query: Select[Any], limit: int) -> Select[Any]:
    return query.order_by(JOB.c.id.desc()).limit(limit)


def _parts(tx: Transaction, where: JobFilter) -> list[ColumnElement[bool]]:
    """The parts of the jobs, each in the order of an index, whose newest together hold the newest of all.

    A filter that fits few of a million jobs would else read them all. Empty: the filter narrows enough by itself, or
    fits nearly every job.
    """
    if any(field is not None for field in (where.ids, where.batch, where.custom_id)):
        return []
    states = sorted(State if where.states is None else where.states)
    if where.lane is None and where.model is None and where.tenant is not None:
        return [and_(JOB.c.tenant == where.tenant, JOB.c.state == text(f"'{state}'")) for state in states]
    lanes = _lanes(tx, where)
    if not lanes or len(lanes) * len(states) > MOST_PARTS:
        return []
    return [and_(JOB.c.lane == lane, JOB.c.state == text(f"'{state}'")) for lane in lanes for state in states]


def _lanes(tx: Transaction, where: JobFilter) -> list[str]:
    if where.lane is not None:
        return [where.lane]
    if where.model is not None:
        return [lane_name(where.model, priority) for priority in Priority]
    return [] if where.states is None else [row.name for row in tx.run(LANES)]


def count_jobs(tx: Transaction, where: JobFilter) -> int:
    """How many jobs a filter fits."""
    return int(tx.select(select(func.count()).select_from(JOB).where(*conditions(where)))[0][0])


def read_states(tx: Transaction, ids: Sequence[str], tenant: str | None = None) -> dict[str, State]:
    """The state of each known id: a cheap poll for those who wait."""
    return {id_: State(state) for id_, state in tx.run(STATES, ids=list(ids), tenant=tenant)}


def find_detail(tx: Transaction, id_: str, tenant: str | None = None, *, with_request: bool = True) -> JobDetail | None:
    """The job with every attempt of every generation, its latest terminal record, and its request if that is wanted."""
    job = find_job(tx, id_, tenant)
    if job is None:
        return None
    return JobDetail(
        job=job,
        attempts=tuple(read_attempts(tx, [id_])),
        result=read_results(tx, [id_]).get((id_, job.generation)),
        request=read_request(tx, id_) if with_request else None,
    )


def read_request(tx: Transaction, id_: str) -> "Request | None":
    """The prompt of a job; None where there is none."""
    from holdfast.store.request_codec import decode_request  # noqa: PLC0415 - slow to import, and most looks read none

    body = read_request_body(tx, id_)
    return None if body is None else decode_request(body)


def read_request_body(tx: Transaction, id_: str) -> bytes | None:
    """The prompt of a job as it is stored; None where there is none."""
    bodies = tx.select(select(REQUEST.c.body).where(REQUEST.c.job == id_))
    return bodies[0].body if bodies else None


def read_attempts(tx: Transaction, ids: Sequence[str]) -> list[AttemptRecord]:
    """Every call of a page of jobs, oldest first within each job."""
    query = select(ATTEMPT).where(ATTEMPT.c.job.in_(ids))
    rows = tx.select(query.order_by(ATTEMPT.c.job, ATTEMPT.c.generation, ATTEMPT.c.number))
    return [read_attempt(row) for row in rows]


def read_history(tx: Transaction, ids: Sequence[str]) -> tuple[set[str], list[AttemptRecord], list[ResultRecord]]:
    """Of a page of jobs, at most some hundreds: which there are, every call, and every terminal record."""
    return set(read_states(tx, ids)), read_attempts(tx, ids), list(read_results(tx, ids).values())


def read_results(tx: Transaction, ids: Sequence[str]) -> dict[tuple[str, int], ResultRecord]:
    """Every terminal record of a page of jobs, by job and generation."""
    rows = tx.run(RESULTS, ids=list(ids)) if ids else ()
    return {(row.job, row.generation): read_result(row) for row in rows}


def find_finished(tx: Transaction, ids: Sequence[str]) -> dict[str, FinishedJob | None]:
    """Those of some jobs that are there, each with how it ended; None for one that lives."""
    jobs = [read_job(row) for row in tx.run(ENDED_JOBS, ids=list(ids))]
    results = read_results(tx, [job.id for job in jobs])
    finished = {job.id: FinishedJob(job, results[job.id, job.generation]) for job in jobs}
    others = [id_ for id_ in ids if id_ not in finished]
    return {**(dict.fromkeys(read_states(tx, others)) if others else {}), **finished}


def list_finished(
    tx: Transaction, batch: str, after: int = -1, limit: int = 1000, states: frozenset[State] = TERMINAL
) -> list[FinishedJob]:
    """Jobs of a batch that ended in one of ``states``, by place in the input, beyond ``after``. Others leave gaps."""
    jobs = [read_job(row) for row in tx.run(_ended_in_batch(states), batch=batch, after=after, limit=limit)]
    results = read_results(tx, [job.id for job in jobs])
    return [FinishedJob(job, results[job.id, job.generation]) for job in jobs]


@cache
def _ended_in_batch(states: frozenset[State]) -> Statement:
    """In words of its own, as ``ENDED_JOBS``; the first two conditions are those of index job_ended."""
    wanted = ", ".join(sorted(f"'{state}'" for state in states))
    return Statement(f"""
        select {", ".join(JOB.c.keys())} from job
        where batch = :batch and batch is not null and state in ({ENDED}) and state in ({wanted}) and position > :after
        order by position, id limit :limit
    """)  # noqa: S608 - names and states of ours
