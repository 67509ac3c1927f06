"""Settling: what a call came to, its job's next state and terminal record, all under the fence of its claim."""

from collections.abc import Sequence
from typing import Any

from holdfast.config import crash_point
from holdfast.model.job import AttemptEnd, Claimed, State
from holdfast.model.records import Settlement
from holdfast.store.codec import clean, encode_mapping, encode_usage
from holdfast.store.counters import count_calls, observe
from holdfast.store.micros import to_micros
from holdfast.store.sql import Statement
from holdfast.store.terminal import write_endings
from holdfast.store.transaction import Transaction
from holdfast.store.turn import Turn, is_failed_try, may_be_billed, turn

SETTLE = Statement("""
    with v as ($rows(
        id text, fence bigint, state text, available_at bigint, finished_at bigint, attempts bigint, calls bigint,
        tries bigint, avoid text, why text, fault text
    ))
    update job set
        state = v.state, available_at = v.available_at, finished_at = v.finished_at, worker = null,
        attempts = job.attempts + v.attempts, calls = job.calls + v.calls, tries = job.tries + v.tries,
        avoid = v.avoid, why_waiting = v.why, fault = v.fault
    from v where job.id = v.id and job.fence = v.fence and job.state = 'running'
    returning job.id, job.fence, job.lane, job.batch, job.generation, job.created_at
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


def settle(tx: Transaction, settlements: Sequence[Settlement]) -> list[bool]:
    """Write the ends of calls. False: the job was not held under that fence any more, and only the call was ended."""
    if not settlements:
        return []
    turns: dict[Key, tuple[Settlement, Turn]] = {}
    for settlement in settlements:
        if _key(settlement) not in turns:
            turns[_key(settlement)] = settlement, turn(settlement, tx.now)
    rows = [_job_row(settlement, next_, tx.now) for settlement, next_ in turns.values()]
    won = {(row.id, row.fence): row for row in tx.run(SETTLE, rows=sorted(rows))}
    ended = tx.run(END_ATTEMPTS, rows=[row for pair in turns.values() for row in _end_rows(*pair)], now=tx.now)
    count_calls(tx, [(row.route, _end(turns[row.job, row.fence][0], row.number)) for row in ended])
    write_endings(tx, [turns[key][1].ending for key in won])
    for key, row in won.items():
        _moved(tx, row, turns[key][1])
    crash_point("mid_record")
    return [won.pop(_key(settlement), None) is not None for settlement in settlements]


def _moved(tx: Transaction, row: Any, next_: Turn) -> None:
    tx.moved(row.lane, row.batch, State.RUNNING, next_.state)
    if next_.state is State.DEAD and next_.fault is not None:
        tx.count("dead", next_.fault)
    if next_.ending is not None and row.generation == 1:  # of a replay nobody knows when it was asked for
        observe(tx, "job_seconds", tx.now - row.created_at)


def _end(settlement: Settlement, number: int) -> AttemptEnd:
    """How the call of this number ended: the one that decided, or the other one of a hedged job."""
    return settlement.others.get(number, settlement.end)


def _key(settlement: Settlement) -> Key:
    return settlement.claimed.id, settlement.claimed.fence


def _job_row(settlement: Settlement, next_: Turn, now: int) -> list[Any]:
    return [
        settlement.claimed.id,
        settlement.claimed.fence,
        next_.state,
        next_.available_at,
        now if next_.ending else None,
        int(next_.uses_attempt),
        sum(map(may_be_billed, (settlement.end, *settlement.others.values()))),
        int(is_failed_try(settlement)),
        next_.avoid,
        clean(next_.why),
        next_.fault,
    ]


def _end_rows(settlement: Settlement, next_: Turn) -> list[list[Any]]:
    """The call that decided, and the other one of a hedged job."""
    claimed, reply = settlement.claimed, settlement.end.reply
    # what an ending holds is encoded already
    encoded = next_.ending.usage if next_.ending else encode_usage(reply.usage) if reply else None
    rows = [_end_row(claimed, claimed.attempt_number, settlement.end, encoded)]
    for number, end in settlement.others.items():
        rows.append(_end_row(claimed, number, end, encode_usage(end.reply.usage) if end.reply else None))
    return rows


def _end_row(claimed: Claimed, number: int, end: AttemptEnd, encoded_usage: str | None) -> list[Any]:
    fault, reply = end.fault, end.reply
    usage = reply.usage if reply else None
    return [
        claimed.id,
        claimed.generation,
        number,
        end.outcome,
        fault.kind if fault else None,
        fault.status if fault else None,
        clean(fault.code) if fault else None,
        clean(fault.message) if fault else None,
        clean(reply.provider_request_id if reply else fault.provider_request_id if fault else None),
        encoded_usage,
        usage.input if usage else 0,
        usage.output if usage else 0,
        end.cost_micros,
        encode_mapping(end.mapping),
        to_micros(end.seconds),
    ]
