"""What an attempt makes of its job: pure arithmetic between a step and a row. Times in microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from holdfast.model.attempt import Attempt
from holdfast.model.fault import FaultKind
from holdfast.model.job import DeathReason, Outcome, State
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze
from holdfast.policy.fault_rules import FAULT_RULES
from holdfast.store.codec import encode_avoid, encode_mapping, encode_reply, encode_usage
from holdfast.store.micros import NEVER, to_micros
from holdfast.store.terminal import Ending

FAILED_OUTCOMES = frozenset({Outcome.UNKNOWN, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class Turn:
    """A job's next state, the columns that come with it, and its ending if it has one."""

    state: State
    available_at: int | None = None
    uses_attempt: bool = False
    avoid: str | None = None
    why: str | None = None
    fault: FaultKind | None = None
    ending: Ending | None = None


def turn(attempts: Sequence[Attempt], now: int) -> Turn:
    """The next state of a job. ``attempts`` are those of one fence; exactly one of them has the step."""
    [decided] = [attempt for attempt in attempts if attempt.step is not None]
    made, calls = _turn(decided, now), max(attempt.number for attempt in attempts)
    if made.ending is None or made.ending.attempts == calls:
        return made
    return replace(made, ending=replace(made.ending, attempts=calls))


def _turn(decided: Attempt, now: int) -> Turn:
    match decided.step:
        case Complete():
            return Turn(State.SUCCEEDED, uses_attempt=True, ending=_success(decided))
        case Bury(reason):
            return _buried(decided, reason)
        case Retry(delay, uses_attempt, avoid):
            return _later(decided, now, delay, encode_avoid(avoid, now), uses_attempt=uses_attempt)
        case Snooze(delay, avoid):
            return _later(decided, now, delay, encode_avoid(avoid, now), uses_attempt=False)
        case Reroute(avoid, uses_attempt):
            return _later(decided, now, 0.0, encode_avoid(avoid, now), uses_attempt=uses_attempt)
        case None:
            raise ValueError(f"attempt {decided.number} of job {decided.job.id} has no step")
        case other:
            assert_never(other)


def is_failed_try(decided: Attempt) -> bool:
    """Whether the next backoff is to be wider for this call."""
    fault = decided.fault
    waits = isinstance(decided.step, Snooze) and fault is not None and FAULT_RULES[fault.kind].waits
    return decided.ended_as in FAILED_OUTCOMES and not waits


def _later(decided: Attempt, now: int, delay: float, avoid: str | None, *, uses_attempt: bool) -> Turn:
    due = now + to_micros(delay)
    expires_at = decided.job.expires_at
    if due >= (NEVER if expires_at is None else to_micros(expires_at)):
        return _expired(decided, uses_attempt=uses_attempt)
    kind = decided.fault.kind if decided.fault else None
    state, available_at = (State.DELAYED, due) if due > now else (State.QUEUED, None)
    return Turn(state, available_at, uses_attempt, avoid, why_waiting(decided), kind)


def why_waiting(decided: Attempt) -> str:
    """Why the job is not running, for the person who asks."""
    fault = decided.fault
    if fault is None:
        return "handed back by its worker before the call"
    status = f" (HTTP {fault.status})" if fault.status else ""
    said = f": {fault.message}" if fault.message else ""
    return f"{fault.kind}{status} on {decided.permit.route}{said}"


def _success(decided: Attempt) -> Ending:
    reply = decided.reply
    if reply is None:
        raise ValueError("an attempt with step Complete needs a reply")
    return _ending(decided, State.SUCCEEDED, reply=encode_reply(reply))


def _buried(decided: Attempt, reason: DeathReason) -> Turn:
    state = State.EXPIRED if reason.kind is FaultKind.EXPIRED else State.DEAD
    ending = _ending(decided, state, fault=reason.kind, status=reason.status, code=reason.code, message=reason.message)
    return Turn(state, uses_attempt=state is State.DEAD, fault=reason.kind, ending=ending)


def _expired(decided: Attempt, *, uses_attempt: bool) -> Turn:
    said = f"expires_at passes before the next try. Last: {why_waiting(decided)}"
    ending = _ending(decided, State.EXPIRED, fault=FaultKind.EXPIRED, message=said)
    return Turn(State.EXPIRED, uses_attempt=uses_attempt, fault=FaultKind.EXPIRED, ending=ending)


def _ending(
    decided: Attempt,
    state: State,
    *,
    reply: bytes | None = None,
    fault: FaultKind | None = None,
    status: int | None = None,
    code: str | None = None,
    message: str | None = None,
) -> Ending:
    job = decided.job
    return Ending(
        job=job.id,
        generation=job.generation,
        attempts=decided.number,
        fence=job.fence,
        state=state,
        fault=fault,
        status=status,
        code=code,
        message=message,
        route=decided.permit.route,
        reply=reply,
        usage=None if decided.usage is None else encode_usage(decided.usage),
        mapping=encode_mapping(decided.mapping),
    )
