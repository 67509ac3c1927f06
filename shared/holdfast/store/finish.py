"""Finishing: what a call came to, its job's next state and terminal record, all under the fence of its claim."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.attempt import Attempt
from holdfast.model.bounds import MOST_COST, MOST_MICROS, MOST_TOKENS, bounded
from holdfast.model.job import State
from holdfast.model.storable import storable
from holdfast.policy import transition
from holdfast.policy.fault_rules import outcome_of
from holdfast.policy.transition import Transition
from holdfast.store.codec import encode_avoid, encode_mapping, encode_usage
from holdfast.store.counters import count_calls, observe
from holdfast.store.micros import to_micros, to_seconds
from holdfast.store.responses import write_responses
from holdfast.store.sql import Statement
from holdfast.store.terminal import ended_by_call, write_terminal_records
from holdfast.store.transaction import Transaction

FINISH = Statement("""
    with v as ($rows(
        id text, fence bigint, state text, available_at bigint, finished_at bigint, attempts bigint, calls bigint,
        tries bigint, avoid text, why text, fault text, output_ceiling bigint
    ))
    update job set
        state = v.state, available_at = v.available_at, finished_at = v.finished_at, worker = null,
        attempts = job.attempts + v.attempts, calls = job.calls + v.calls, tries = job.tries + v.tries,
        avoid = v.avoid, why_waiting = v.why, fault = v.fault,
        output_ceiling = coalesce(v.output_ceiling, job.output_ceiling)
    from v where job.id = v.id and job.fence = v.fence and job.state || '' = 'running'
    returning job.id, job.fence, job.lane, job.batch, job.generation, job.tenant, job.custom_id, job.model,
        coalesce(job.not_before, job.created_at) as waits_since
""")
# The call was made and paid whatever became of its job, so this asks for no fence: a claim has a row of its own. A row
# that a take-over called unknown learns the truth from an end that comes late.
END_ATTEMPTS = Statement("""
    with v as ($rows(
        job text, generation bigint, number bigint, outcome text, fault text, status bigint, code text,
        message text, request_id text, usage text, input bigint, output bigint, cost bigint, mapping text,
        micros bigint
    ))
    update attempt set
        ended_at = :now, outcome = v.outcome, fault = v.fault, status = v.status, code = v.code, message = v.message,
        provider_request_id = v.request_id, usage = v.usage, input_tokens = v.input, output_tokens = v.output,
        cost_micros = v.cost, mapping = v.mapping, micros = v.micros
    from v where attempt.job = v.job and attempt.generation = v.generation and attempt.number = v.number
    and (attempt.ended_at is null or attempt.outcome = 'unknown')
    returning attempt.job, attempt.fence, attempt.number, attempt.route
""")
Key = tuple[str, int]


def finish(tx: Transaction, attempts: Sequence[Attempt]) -> list[bool]:
    """Write how calls ended, and what becomes of their jobs. In order: whether an attempt's step was taken.

    It is not where the job was no longer held under the attempt's fence: then only its call is ended.
    """
    by_claim: dict[Key, dict[int, Attempt]] = {}
    for attempt in attempts:
        by_claim.setdefault(attempt.key, {}).setdefault(attempt.number, attempt)
    if not by_claim:
        return []
    moves = {key: transition.finish(list(its.values()), to_seconds(tx.now)) for key, its in by_claim.items()}
    rows = [_job_row(key, move, tx.now) for key, move in moves.items()]
    won = {(row.id, row.fence): row for row in tx.run(FINISH, rows=sorted(rows))}
    ended = tx.run(
        END_ATTEMPTS, rows=[_end_row(each) for its in by_claim.values() for each in its.values()], now=tx.now
    )
    calls = [by_claim[row.job, row.fence][row.number] for row in ended]
    count_calls(tx, calls)
    write_responses(tx, calls)
    over = [key for key in won if moves[key].ends]
    records = [ended_by_call(by_claim[key].values(), moves[key]) for key in over]
    write_terminal_records(tx, records, [won[key] for key in over])
    for key, row in won.items():
        _moved(tx, row, moves[key])
    tx.crash_point("mid_record")
    return [_is_taken(attempt, by_claim[attempt.key], won) for attempt in attempts]


def _is_taken(attempt: Attempt, its: Mapping[int, Attempt], won: Mapping[Key, Any]) -> bool:
    """An attempt that was handed in twice is taken once."""
    return attempt.step is not None and attempt.key in won and its[attempt.number] is attempt


def _moved(tx: Transaction, row: Any, move: Transition) -> None:
    tx.moved(row.lane, row.batch, State.RUNNING, move.state)
    if move.state is State.DEAD and move.fault is not None:
        tx.count("dead", move.fault)
    if move.ends and row.generation == 1:  # of a replay nobody knows when it was asked for
        observe(tx, "job_seconds", tx.now - row.waits_since)


def _job_row(key: Key, move: Transition, now: int) -> list[Any]:
    return [
        *key,
        move.state,
        now + to_micros(move.delay) if move.state is State.DELAYED else None,
        now if move.ends else None,
        int(move.uses_attempt),
        move.calls,
        move.failed_tries,
        encode_avoid(move.avoid, now),
        storable(move.why_waiting),
        move.fault,
        move.output_ceiling,
    ]


def _end_row(attempt: Attempt) -> list[Any]:
    fault, reply, usage, response = attempt.fault, attempt.reply, attempt.usage, attempt.response
    return [
        attempt.job.id,
        attempt.job.generation,
        attempt.number,
        outcome_of(fault),
        fault.kind if fault else None,
        response.status if response else fault.status if fault else None,
        storable(fault.code) if fault else None,
        storable(fault.message) if fault else None,
        storable(reply.provider_request_id if reply else fault.provider_request_id if fault else None),
        encode_usage(usage) if usage else None,
        bounded(usage.input, MOST_TOKENS) if usage else 0,
        bounded(usage.output, MOST_TOKENS) if usage else 0,
        bounded(attempt.cost_micros, MOST_COST),
        encode_mapping(attempt.mapping),
        bounded(to_micros(attempt.seconds), MOST_MICROS),
    ]
