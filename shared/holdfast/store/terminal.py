"""Terminal records: how a job's generation ended, written in the transaction that ends it, and never again."""

from collections.abc import Collection, Sequence
from typing import Any

from holdfast.model.attempt import Attempt
from holdfast.model.event import EventKind
from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.model.storable import storable
from holdfast.policy.dead_causes import cause_of
from holdfast.policy.transition import Transition, terminal_message
from holdfast.store.codec import encode_mapping, encode_reply, encode_usage
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

# The cost is read from the attempt rows: what this generation is known to have cost by now.
INSERT_RESULTS = Statement("""
    with v as ($rows(
        job text, generation bigint, attempts bigint, fence bigint, state text, fault text, status bigint, code text,
        message text, route text, reply bytes, usage text, mapping text, cause text
    ))
    insert into result (
        job, generation, attempts, fence, state, fault, status, code, message, route, reply, usage, mapping,
        cause, created_at, cost_micros
    )
    select v.*, :now,
        (select coalesce(sum($least(cost_micros, $most_cost)), 0) from attempt
         where attempt.job = v.job and attempt.generation = v.generation)
    from v where true
""")

EVENTS = {
    State.SUCCEEDED.value: EventKind.JOB_SUCCEEDED.value,
    State.DEAD.value: EventKind.JOB_DEAD.value,
    State.CANCELLED.value: EventKind.JOB_CANCELLED.value,
    State.EXPIRED.value: EventKind.JOB_EXPIRED.value,
}
Row = list[Any]


def write_terminal_records(tx: Transaction, rows: Sequence[Row], jobs: Sequence[Any]) -> None:
    """Write terminal records of jobs that this transaction has just ended, and tell of them.

    ``jobs``: the rows of the statement that ended them, in the same order.
    """
    if rows:
        tx.run(INSERT_RESULTS, rows=[[*row, _cause(row)] for row in rows], now=tx.now)
        tx.ended_jobs += [row[0] for row in rows]
        tx.events += [_event(row, job) for row, job in zip(rows, jobs, strict=True)]


def _event(row: Row, job: Any) -> list[Any]:
    state, fault = row[4:6]
    return [EVENTS[state], job.tenant, job.batch, job.id, job.generation, job.custom_id, job.model, fault]


def _cause(row: Row) -> str | None:
    """Name what a dead letter died of; None for any other end."""
    state, fault, status, code, message, route = row[4:10]
    return cause_of(fault or "", route, status, code, message).key if state == State.DEAD else None


def ended_by_call(attempts: Collection[Attempt], move: Transition) -> Row:
    """The terminal record of a job that its worker ends. ``attempts`` are those of its claim; one has the step."""
    [decided] = [attempt for attempt in attempts if attempt.step is not None]
    job, reason = decided.job, move.reason
    return [
        job.id,
        job.generation,
        max(attempt.number for attempt in attempts),
        job.fence,
        move.state.value,  # the driver of SQLite is slow with anything but a plain str
        move.fault and move.fault.value,
        reason and reason.status,
        reason and storable(reason.code),
        reason and storable(reason.message),
        decided.permit.route,
        encode_reply(decided.reply) if decided.reply and move.state is State.SUCCEEDED else None,
        decided.usage and encode_usage(decided.usage),
        encode_mapping(decided.mapping),
    ]


def ended_by_others(job: Any, state: State, fault: FaultKind | None, waited_for: str | None = None) -> Row:
    """The terminal record of a job that no call ends. ``job``: the row of the statement that ended it."""
    message = storable(terminal_message(state, fault, waited_for))
    last = (job.id, job.generation, job.number, job.fence)
    return [*last, state.value, fault and fault.value, None, None, message, None, None, None, None]
