"""What we do about each kind of fault: the table of failures as data, one row per kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from holdfast.model.fault import FaultKind
from holdfast.policy.backoff import CAP
from holdfast.policy.signals import Signal

GUARDED_CAP = 10.0  # seconds; where a breaker paces the route, a job's own jitter only spreads the herd


class Action(StrEnum):
    REROUTE = "reroute"  # another route now; alone: later on this one
    HERE_FIRST = "here_first"  # again on this route, ``again_here`` times at most; then as REROUTE
    NEVER_HERE = "never_here"  # another route; this one never again; none left: bury
    SNOOZE = "snooze"  # later; the fault is ours
    BURY = "bury"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One row.

    ``uses_attempt``: the outcome is the job's own doing. ``uses_call``: the call may have been billed.
    ``parks``: the wait is a snooze, for the job did nothing wrong and something else says when it may go on.
    ``pauses``: the bucket gives nothing until the provider's Retry-After has passed.
    ``again_here``: repeats on the same route. ``most``: repeats at all, then bury. ``cap``: widest draw, seconds.
    """

    action: Action
    uses_attempt: bool = False
    uses_call: bool = False
    route: Signal = Signal.NONE
    credential: Signal = Signal.NONE
    endpoint: Signal = Signal.NONE
    parks: bool = False
    pauses: bool = False
    again_here: int = 0
    most: int | None = None
    cap: float = GUARDED_CAP


_OK, _DOUBT, _FAULT, _FATAL, _LOGIN = Signal.OK, Signal.CLIENT_ERROR, Signal.FAULT, Signal.FATAL, Signal.AUTH_REJECTED

FAULT_RULES: Mapping[FaultKind, FaultRule] = {
    FaultKind.INVALID_REQUEST: FaultRule(Action.BURY, uses_attempt=True, route=_DOUBT, credential=_OK, endpoint=_OK),
    FaultKind.UNMAPPABLE: FaultRule(Action.NEVER_HERE),
    FaultKind.TOO_LONG: FaultRule(Action.NEVER_HERE, uses_attempt=True, credential=_OK, endpoint=_OK),
    FaultKind.SPEND_LIMIT: FaultRule(Action.REROUTE, credential=_FATAL, endpoint=_OK, parks=True),
    FaultKind.AUTH: FaultRule(Action.REROUTE, credential=_FAULT, endpoint=_LOGIN, parks=True),
    # The provider was not asked: its endpoint hears nothing, and a token issuer's outage is not taken for its own.
    FaultKind.NO_TOKEN: FaultRule(Action.REROUTE, credential=_FAULT, parks=True),
    FaultKind.FORBIDDEN: FaultRule(Action.REROUTE, route=_FAULT, endpoint=_OK, parks=True),
    # Nothing but a reload of the configuration mends a wrong model name: the route is parked at once.
    FaultKind.MODEL_NOT_FOUND: FaultRule(Action.REROUTE, route=_FATAL, endpoint=_OK, parks=True),
    FaultKind.REQUEST_TIMEOUT: FaultRule(
        Action.HERE_FIRST, uses_attempt=True, route=_FAULT, endpoint=_OK, again_here=2
    ),
    FaultKind.CONFLICT: FaultRule(
        Action.HERE_FIRST, uses_attempt=True, credential=_OK, endpoint=_OK, again_here=2, cap=CAP
    ),
    FaultKind.RATE_LIMITED: FaultRule(Action.REROUTE, credential=_OK, endpoint=_OK, parks=True, pauses=True),
    FaultKind.RAMP_LIMITED: FaultRule(Action.REROUTE, credential=_OK, endpoint=_OK, parks=True, pauses=True),
    FaultKind.SERVER_ERROR: FaultRule(Action.REROUTE, route=_FAULT, endpoint=_OK),
    FaultKind.OVERLOADED: FaultRule(Action.REROUTE, route=_FAULT, endpoint=_OK),
    FaultKind.UNREACHABLE: FaultRule(Action.REROUTE, endpoint=_FAULT),
    FaultKind.TIMED_OUT: FaultRule(Action.REROUTE, uses_call=True, route=_FAULT),
    FaultKind.CONNECTION_LOST: FaultRule(Action.REROUTE, uses_call=True, route=_FAULT),
    FaultKind.BAD_ANSWER: FaultRule(Action.REROUTE, uses_call=True, route=_FAULT, endpoint=_OK),
    FaultKind.BAD_OUTPUT: FaultRule(
        Action.HERE_FIRST,
        uses_attempt=True,
        uses_call=True,
        route=_OK,
        credential=_OK,
        endpoint=_OK,
        again_here=1,
        most=2,
        cap=CAP,
    ),
    # The call itself went well. Where nobody else can be asked now, the refusal is the result.
    FaultKind.REFUSED: FaultRule(Action.NEVER_HERE, uses_call=True, route=_OK, credential=_OK, endpoint=_OK),
    # Its job is done by another call. Of the first one its route hears that it was late; of the second nobody hears.
    FaultKind.HEDGE_PRIMARY_LOST: FaultRule(Action.SNOOZE, uses_call=True, route=Signal.HEDGED_LATE),
    FaultKind.HEDGE_SECONDARY_LOST: FaultRule(Action.SNOOZE, uses_call=True),
    FaultKind.INTERNAL: FaultRule(Action.SNOOZE),
    FaultKind.POISON: FaultRule(Action.BURY),
    FaultKind.EXHAUSTED: FaultRule(Action.BURY),
    FaultKind.EXPIRED: FaultRule(Action.BURY),
}
