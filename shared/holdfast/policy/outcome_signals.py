"""What the outcome of a call says to the gate: a signal for each breaker, and a pause for the bucket."""

from collections.abc import Mapping
from math import isfinite

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import Evidence, Fault, FaultKind
from holdfast.model.reply import Reply
from holdfast.policy.backoff import Uniform
from holdfast.policy.fault_rules import FAULT_RULES
from holdfast.policy.rate_limit import TRUSTED_PAUSE
from holdfast.policy.signals import ScopeKind, Signal

LONGEST_WAIT = 86_400.0  # seconds; a Retry-After beyond a day is taken as a day
A_REPLY_CAME = -1.0  # in the place of a pause: whatever wait was asked for is over
PAUSE_UNASKED = 1.0  # seconds; after a 429 that named no time
PAUSE_JITTER = 0.02  # seconds; one bucket serves the whole fleet, so there is no herd to spread

UNUSED_SHARE = 0.2  # of the bucket, in every dimension

ALL_WELL: Mapping[ScopeKind, Signal] = dict.fromkeys(ScopeKind, Signal.OK)
NO_SIGNAL: Mapping[ScopeKind, Signal] = dict.fromkeys(ScopeKind, Signal.NONE)


def signals(
    outcome: Reply | Fault | None, *, below_limit: bool = False, own: bool = False
) -> Mapping[ScopeKind, Signal]:
    """Tell what each breaker of the target records. None: no byte was sent, or ``SLOW`` was recorded before.

    ``below_limit``: more than ``UNUSED_SHARE`` of a known allowance was left when the call got its permit. A
    limiter that refuses such calls is sick, and that is a fault of the route. ``own``: the failure is its job's alone
    (``comparison.is_its_own``), so that no breaker records a fault. What parks a thing at once has to be told by a
    code, or by words of money that name no amount: a status leaves it in doubt.
    """
    if isinstance(outcome, Reply):
        return ALL_WELL
    if outcome is None:
        return NO_SIGNAL
    row = FAULT_RULES[outcome.kind]
    route = Signal.FAULT if below_limit and outcome.kind is FaultKind.RATE_LIMITED else row.route
    said = {ScopeKind.ROUTE: route, ScopeKind.CREDENTIAL: row.credential, ScopeKind.ENDPOINT: row.endpoint}
    if own:
        return {scope: signal if signal is Signal.OK else Signal.NONE for scope, signal in said.items()}
    if route is Signal.CLIENT_ERROR and outcome.names_part:
        said[ScopeKind.ROUTE] = Signal.NAMED_CLIENT_ERROR
    if _is_sure(outcome):
        return said
    return {scope: Signal.SUSPECT if signal is Signal.FATAL else signal for scope, signal in said.items()}


def _is_sure(fault: Fault) -> bool:
    """Whether one call is enough to park what it went through. A ceiling that is named is the job's own matter."""
    if fault.kind is FaultKind.SPEND_LIMIT:
        return fault.evidence is not Evidence.STATUS and fault.output_ceiling is None
    return fault.evidence is Evidence.CODE


def reports_auth(signals: Mapping[ScopeKind, Signal]) -> bool:
    """Whether a call shows that its credential was accepted, or that it was not."""
    return signals.get(ScopeKind.CREDENTIAL) is Signal.OK or signals.get(ScopeKind.ENDPOINT) is Signal.AUTH_REJECTED


def is_below_limit(limits: Mapping[Dimension, LimitSeen], *, permitted: bool) -> bool:
    """Whether a refused call was far below its limits, by our own ledger (``permitted``) and the answer's headers."""
    return permitted and not any(_is_used_up(each, seen) for each, seen in limits.items())


def _is_used_up(dimension: Dimension, seen: LimitSeen) -> bool:
    if seen.remaining is None:
        return False
    return seen.remaining < 1 if dimension is Dimension.REQUESTS else seen.remaining <= UNUSED_SHARE * seen.per_minute


def is_connectivity_fault(outcome: Reply | Fault | None) -> bool:
    """Whether nothing came back from the provider: then our own host's link may be what is broken."""
    return isinstance(outcome, Fault) and FAULT_RULES[outcome.kind].is_connectivity_fault


def job_at_stake(job: str, outcome: Reply | Fault | None) -> str:
    """Name the job that a failure may be the fault of; "": nothing of it ever left, so that it is nobody's.

    >>> job_at_stake("j", Fault(FaultKind.SERVER_ERROR)), job_at_stake("j", Fault(FaultKind.UNREACHABLE))
    ('j', '')
    """
    return job if not isinstance(outcome, Fault) or FAULT_RULES[outcome.kind].sent else ""


def pause(fault: Fault, uniform: Uniform, *, below_limit: bool = False) -> float | None:
    """Seconds for which the bucket gives nothing, or None. >= 0 and finite.

    ``below_limit``: as for ``signals``. What a sick limiter refuses says nothing of the bucket, unless it names a time.
    What is longer than ``TRUSTED_PAUSE`` says so, and is not slept through: see ``rate_limit``.
    """
    asked = _made_sane(fault.retry_after)
    if not FAULT_RULES[fault.kind].pauses_bucket or (
        below_limit and asked is None and fault.kind is FaultKind.RATE_LIMITED
    ):
        return None
    return (PAUSE_UNASKED if asked is None else asked) + uniform(0.0, PAUSE_JITTER)


def asked_wait(fault: Fault) -> float | None:
    """Seconds that a job waits because the provider asked for it, or None: a wait that is not believed is none."""
    asked = _made_sane(fault.retry_after)
    return None if asked is None or asked > TRUSTED_PAUSE else asked


def _made_sane(seconds: float | None) -> float | None:
    """What a provider asked for, within 0 and a day."""
    return None if seconds is None or not isfinite(seconds) else min(max(seconds, 0.0), LONGEST_WAIT)
