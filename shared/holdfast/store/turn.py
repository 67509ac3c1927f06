"""What a settlement makes of its job: pure arithmetic between a step and a row. Times in microseconds."""

from dataclasses import dataclass
from typing import assert_never

from holdfast.model.fault import FaultKind
from holdfast.model.job import AttemptEnd, DeathReason, Outcome, State
from holdfast.model.records import Settlement
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze
from holdfast.store.codec import encode_avoid, encode_mapping, encode_reply, encode_usage
from holdfast.store.micros import NEVER, to_micros
from holdfast.store.terminal import Ending

BILLED_FAULTS = frozenset(
    {FaultKind.BAD_ANSWER, FaultKind.BAD_OUTPUT, FaultKind.REFUSED}
    | {FaultKind.TIMED_OUT, FaultKind.CONNECTION_LOST, FaultKind.HEDGE_PRIMARY_LOST, FaultKind.HEDGE_SECONDARY_LOST}
)
BILLED_OUTCOMES = frozenset({Outcome.UNKNOWN, Outcome.SUCCEEDED})
FAILED_OUTCOMES = frozenset({Outcome.UNKNOWN, Outcome.FAILED})
WAITS = frozenset({FaultKind.RATE_LIMITED, FaultKind.RAMP_LIMITED, FaultKind.INTERNAL})  # snoozed, nothing failed


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


def turn(settlement: Settlement, now: int) -> Turn:
    """The next state of the settled job."""
    match settlement.step:
        case Complete():
            return Turn(State.SUCCEEDED, uses_attempt=True, ending=_success(settlement))
        case Bury(reason):
            return _buried(settlement, reason)
        case Retry(delay, uses_attempt, avoid):
            return _later(settlement, now, delay, encode_avoid(avoid, now), uses_attempt=uses_attempt)
        case Snooze(delay, avoid):
            return _later(settlement, now, delay, encode_avoid(avoid, now), uses_attempt=False)
        case Reroute(avoid, uses_attempt):
            return _later(settlement, now, 0.0, encode_avoid(avoid, now), uses_attempt=uses_attempt)
        case other:
            assert_never(other)


def may_be_billed(end: AttemptEnd) -> bool:
    """Whether the provider may have run the call, and charged for it."""
    return end.outcome in BILLED_OUTCOMES or (end.fault is not None and end.fault.kind in BILLED_FAULTS)


def is_failed_try(settlement: Settlement) -> bool:
    """Whether the next backoff is to be wider for this call."""
    fault = settlement.end.fault
    waits = isinstance(settlement.step, Snooze) and fault is not None and fault.kind in WAITS
    return settlement.end.outcome in FAILED_OUTCOMES and not waits


def _later(settlement: Settlement, now: int, delay: float, avoid: str | None, *, uses_attempt: bool) -> Turn:
    due = now + to_micros(delay)
    expires_at = settlement.claimed.expires_at
    if due >= (NEVER if expires_at is None else to_micros(expires_at)):
        return _expired(settlement, uses_attempt=uses_attempt)
    kind = settlement.end.fault.kind if settlement.end.fault else None
    state, available_at = (State.DELAYED, due) if due > now else (State.QUEUED, None)
    return Turn(state, available_at, uses_attempt, avoid, why_waiting(settlement), kind)


def why_waiting(settlement: Settlement) -> str:
    """Why the job is not running, for the person who asks."""
    fault = settlement.end.fault
    if fault is None:
        return "handed back by its worker before the call"
    status = f" (HTTP {fault.status})" if fault.status else ""
    said = f": {fault.message}" if fault.message else ""
    return f"{fault.kind}{status} on {settlement.route}{said}"


def _success(settlement: Settlement) -> Ending:
    reply = settlement.end.reply
    if reply is None:
        raise ValueError("a settlement with step Complete needs a reply")
    return _ending(settlement, State.SUCCEEDED, reply=encode_reply(reply))


def _buried(settlement: Settlement, reason: DeathReason) -> Turn:
    state = State.EXPIRED if reason.kind is FaultKind.EXPIRED else State.DEAD
    ending = _ending(
        settlement, state, fault=reason.kind, status=reason.status, code=reason.code, message=reason.message
    )
    return Turn(state, uses_attempt=state is State.DEAD, fault=reason.kind, ending=ending)


def _expired(settlement: Settlement, *, uses_attempt: bool) -> Turn:
    said = f"expires_at passes before the next try. Last: {why_waiting(settlement)}"
    ending = _ending(settlement, State.EXPIRED, fault=FaultKind.EXPIRED, message=said)
    return Turn(State.EXPIRED, uses_attempt=uses_attempt, fault=FaultKind.EXPIRED, ending=ending)


def _ending(
    settlement: Settlement,
    state: State,
    *,
    reply: bytes | None = None,
    fault: FaultKind | None = None,
    status: int | None = None,
    code: str | None = None,
    message: str | None = None,
) -> Ending:
    claimed, end = settlement.claimed, settlement.end
    return Ending(
        job=claimed.id,
        generation=claimed.generation,
        attempts=max(claimed.attempt_number, *settlement.others, 1),
        fence=claimed.fence,
        state=state,
        fault=fault,
        status=status,
        code=code,
        message=message,
        route=settlement.route,
        reply=reply,
        usage=None if end.reply is None else encode_usage(end.reply.usage),
        mapping=encode_mapping(end.mapping),
    )
