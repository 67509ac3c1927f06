"""Circuit breaker: the functions that move its value, which is a ``breaker_state.Breaker``.

No clock, no Redis, no log: the caller passes ``now`` (seconds) and stores what it gets back.

    closed ──trips──▶ open ──cool-off over, one probe──▶ half open ──probe succeeds──▶ closed, ramping
                       ▲────────────── probe fails ────────────┘
    forced_open and disabled are the operator's; only the operator leaves them.

One job's trouble is not its route's: whatever a single job says, and however often, opens nothing. Two different jobs
have to say it. The job whose probe failed is not the next probe while another one waits: ``probers``.

Every change of state makes a new epoch, and a signal with another epoch moves nothing: answers from before an outage
cannot end it. A probe whose lease ran out is followed by another one *of the same epoch*, so that on a route whose
calls take longer than the lease the first probe to come back still decides.
"""

from dataclasses import dataclass, replace
from typing import Literal

from holdfast.policy.auth_outage import AuthHistory, accepted, is_auth_outage, refused
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker_recovery import cool_off, first_ramp, next_ramp, outage_began
from holdfast.policy.breaker_rules import Rules
from holdfast.policy.breaker_state import Breaker, CallSample, Closed, Disabled, ForcedOpen, HalfOpen, Open
from holdfast.policy.client_errors import is_believed, wrong_cool_off
from holdfast.policy.fault_streak import after_fault, after_success
from holdfast.policy.signals import Observation, Signal
from holdfast.policy.suspects import are_several, uncleared, with_suspect

FOREVER = float("inf")
CLOCKS_APART = 2.0  # seconds by which a worker's idea of the breaker's clock may lag
AT_ONCE = 0.0  # an end of a cool-off that lies before all others
PROBERS = 64  # jobs that are remembered because their probes failed


@dataclass(frozen=True, slots=True)
class Admission:
    """Yes, to one call. Its signal is observed only under this ``epoch``."""

    epoch: int
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """No. ``retry_at`` in seconds; infinite when the operator forced the breaker open."""

    retry_at: float


def admit(breaker: Breaker, now: float, rules: Rules) -> tuple[Breaker, Admission | Refusal]:
    """Ask to make one call."""
    match breaker.state:
        case Closed() | Disabled():
            return breaker, Admission(breaker.epoch)
        case ForcedOpen():
            return breaker, Refusal(FOREVER)
        case Open(until) | HalfOpen(until) if now < until:
            return breaker, Refusal(until)
        case Open(_, cool_off, probers, wrong):
            probing = breaker.to(HalfOpen(now + rules.probe_lease, cool_off, now, probers, wrong))
        case HalfOpen(_, cool_off, _, probers, wrong):
            probing = breaker.same_epoch(HalfOpen(now + rules.probe_lease, cool_off, now, probers, wrong))
    return probing, Admission(probing.epoch, probe=True)


def record(breaker: Breaker, observed: Observation, rules: Rules, uniform: Uniform) -> Breaker:
    """Take in one signal. Returns the same object when nothing changed."""
    if observed.epoch != breaker.epoch:
        return breaker
    if observed.signal is Signal.HEDGED_LATE:
        observed = replace(observed, signal=Signal.NONE if ramp_limit(breaker) is None else Signal.SLOW)
    match breaker.state:
        case Closed() as closed:
            return _record_closed(breaker, closed, observed, rules, uniform)
        case HalfOpen() as probed:
            return _record_probe(breaker, probed, observed, rules, uniform)
        case _:
            return breaker


def place_among_probers(breaker: Breaker, job: str) -> int:
    """The place of ``job`` among those whose probes failed in this outage, from 0, the longest ago; -1: it is none.

    While another job waits, that one is the next probe; where all have failed, the one that failed longest ago.
    """
    probers = breaker.state.probers if isinstance(breaker.state, Open | HalfOpen) else ()
    return probers.index(job) if job in probers else -1


def ramp_limit(breaker: Breaker) -> float | None:
    """Calls that may be in flight while the breaker ramps; None: as many as there are slots."""
    return breaker.state.ramp if isinstance(breaker.state, Closed) else None


def force(breaker: Breaker, want: Literal["open", "closed"] | None) -> Breaker:
    """Set or lift the operator's override: no calls, calls whatever happens, or (None) the breaker decides again."""
    match want:
        case "open":
            return breaker.to(ForcedOpen())
        case "closed":
            return breaker.to(Disabled())
        case None:
            return Breaker(epoch=breaker.epoch + 1)


def end_cool_off(breaker: Breaker) -> Breaker:
    """End a cool-off early, because what was wrong was changed: the next call is the probe. Nothing else moves.

    Of a route's credentials it is then the one that has waited longest: see ``probe_order``.
    """
    match breaker.state:
        case Open(until) if until > AT_ONCE:
            return breaker.same_epoch(replace(breaker.state, until=AT_ONCE))
        case _:
            return breaker


def _record_closed(  # noqa: PLR0911  # one for each signal
    breaker: Breaker, closed: Closed, observed: Observation, rules: Rules, uniform: Uniform
) -> Breaker:
    match observed.signal:
        case Signal.NONE:
            return breaker
        case Signal.OK:
            return _went_well(breaker, closed, observed, rules, _let_in(closed, observed))
        case Signal.AUTH_REJECTED:
            logins = refused(closed.auth_history, observed.credential, observed.at)
            if is_auth_outage(logins):
                return _open(replace(breaker, auth_outage=True), observed, rules, uniform)
            return _went_well(breaker, closed, observed, rules, logins)
        case Signal.CLIENT_ERROR | Signal.NAMED_CLIENT_ERROR:
            return _called_wrong(breaker, closed, observed, rules, uniform)
        case Signal.SUSPECT:
            return _suspected(breaker, closed, observed, rules, uniform)
        case _:
            return _went_wrong(breaker, closed, observed, rules, uniform)


def _record_probe(breaker: Breaker, probed: HalfOpen, observed: Observation, rules: Rules, uniform: Uniform) -> Breaker:
    match observed.signal:
        case Signal.NONE:
            return _freed(breaker, probed, observed)
        case Signal.CLIENT_ERROR | Signal.NAMED_CLIENT_ERROR:
            return _probe_called_wrong(breaker, probed, observed, rules, uniform)
        case Signal.OK:
            return _closed_again(breaker, probed, observed.at, rules)
        case Signal.AUTH_REJECTED if not breaker.auth_outage:  # it answers, which is all that was in question
            return _closed_again(breaker, probed, observed.at, rules)
        case _:
            return _open(breaker, observed, rules, uniform)


def _freed(breaker: Breaker, probed: HalfOpen, observed: Observation) -> Breaker:
    """The probe said nothing, so the next one may go. One that outlived its lease frees nothing: another is out."""
    sent = observed.at if observed.sent is None else observed.sent
    if sent < probed.granted_at - CLOCKS_APART:
        return breaker
    probers = _probers(breaker, observed)
    return breaker.same_epoch(replace(probed, until=min(probed.until, observed.at), probers=probers))


def _probe_called_wrong(
    breaker: Breaker, probed: HalfOpen, observed: Observation, rules: Rules, uniform: Uniform
) -> Breaker:
    """A wrong job says nothing of an outage. Of a burst of them it says that it goes on, until that is believed."""
    if probed.wrong is None:
        return _freed(breaker, probed, observed)
    named = observed.signal is Signal.NAMED_CLIENT_ERROR
    age = observed.at - (breaker.since or observed.at)
    if not is_believed(probed.wrong + 1, age, rules, names_part=named, replied=observed.replied is not None):
        return _open(breaker, observed, rules, uniform, wrong=probed.wrong + 1)
    believed = Closed(believed_until=observed.at + rules.believed_seconds)
    return replace(breaker.to(believed), recovered=observed.at)


def _closed_again(breaker: Breaker, probed: HalfOpen, at: float, rules: Rules) -> Breaker:
    """Closed, and on probation where the rules know a ramp: the probe is the first call that counts."""
    outage = at - (at if breaker.since is None else breaker.since)
    ramp = first_ramp(outage, len(probed.probers), rules)
    closed = Closed() if ramp is None else Closed(window=(CallSample(at, ok=True),), ramp=ramp)
    return replace(breaker.to(closed), recovered=at, auth_outage=False)


def _let_in(closed: Closed, observed: Observation) -> AuthHistory:
    if not observed.credential:
        return closed.auth_history
    return accepted(
        closed.auth_history, observed.credential, observed.at, observed.at if observed.sent is None else observed.sent
    )


def _went_well(breaker: Breaker, closed: Closed, observed: Observation, rules: Rules, logins: AuthHistory) -> Breaker:
    if logins is closed.auth_history and closed == Closed():
        return breaker
    streak = after_success(closed.streak, observed, rules)
    suspects = uncleared(closed.suspects, observed.at if observed.sent is None else observed.sent)
    if streak and streak.predates_outage(observed):
        return breaker.same_epoch(replace(closed, auth_history=logins, streak=streak, suspects=suspects))
    at = observed.at
    ramp = next_ramp(closed.ramp, at - (breaker.recovered or at), rules)
    window = _window(closed, CallSample(at, ok=True), rules)
    slow = max(0.0, closed.slow - rules.forgives) if window else 0.0
    after = Closed(
        slow=slow,
        window=window,
        ramp=ramp,
        reporters=closed.reporters if window else frozenset(),
        auth_history=logins,
        streak=streak,
        failed_jobs=closed.failed_jobs if window else frozenset(),
        suspects=suspects,
    )
    return breaker if after == closed else breaker.same_epoch(after)


def _suspected(breaker: Breaker, closed: Closed, observed: Observation, rules: Rules, uniform: Uniform) -> Breaker:
    """One job's refusal is in doubt; that of several different ones, between which nobody succeeded, is not."""
    cleared = max(observed.at - rules.window_seconds, observed.replied or 0.0)
    suspects = with_suspect(uncleared(closed.suspects, cleared), observed.job, observed.at)
    if are_several(suspects):
        return _open(breaker, observed, rules, uniform)
    return breaker.same_epoch(replace(closed, suspects=suspects))


def _called_wrong(breaker: Breaker, closed: Closed, observed: Observation, rules: Rules, uniform: Uniform) -> Breaker:
    """One client error is its job's own; a burst of them is the route's."""
    if closed.believed_until is not None and observed.at < closed.believed_until:
        return _believed_longer(breaker, closed, observed.at, rules)
    window = _window(closed, CallSample(observed.at, ok=True, client_error=True), rules)
    young = [call for call in window if call.at > observed.at - rules.error_burst_seconds]
    wrong = sum(call.client_error for call in young)
    if rules.error_burst is not None and len(young) >= rules.error_burst and 2 * wrong >= len(young):
        return _open(breaker, observed, rules, uniform, wrong=0)
    return breaker.same_epoch(replace(closed, window=window, believed_until=None))


def _believed_longer(breaker: Breaker, closed: Closed, at: float, rules: Rules) -> Breaker:
    """One more of the jobs whose client errors are believed. Written only where half of the time is over."""
    assert closed.believed_until is not None
    if closed.believed_until > at + rules.believed_seconds / 2:
        return breaker
    return breaker.same_epoch(replace(closed, believed_until=at + rules.believed_seconds))


def _went_wrong(breaker: Breaker, closed: Closed, observed: Observation, rules: Rules, uniform: Uniform) -> Breaker:
    troubled = Closed(
        failures=closed.failures + 1,
        slow=closed.slow + (1.0 if observed.signal is Signal.SLOW else 0.0),
        window=_window(closed, CallSample(observed.at, ok=False), rules),
        ramp=rules.ramp_start if closed.ramp is not None and rules.ramp_anew else closed.ramp,
        reporters=closed.reporters | {observed.reporter},
        auth_history=closed.auth_history,
        streak=after_fault(closed.streak, observed, rules),
        failed_jobs=closed.failed_jobs if are_several(closed.failed_jobs) else closed.failed_jobs | {observed.job},
        suspects=closed.suspects,
    )
    if observed.signal is Signal.FATAL or _trips(troubled, rules):
        return _open(breaker, observed, rules, uniform)
    return breaker.same_epoch(troubled)


def _trips(closed: Closed, rules: Rules) -> bool:
    judged = [call for call in closed.window if not call.client_error]
    failed = sum(not call.ok for call in judged)
    least = rules.window_least if closed.ramp is None else rules.ramp_least
    believed = "" in closed.reporters or len(closed.reporters) >= rules.reporters
    if not believed or not are_several(closed.failed_jobs, rules.consecutive):
        return False
    return (
        closed.failures >= rules.consecutive
        or (rules.slow is not None and closed.slow >= rules.slow)
        or (rules.ratio is not None and len(judged) >= least and failed >= rules.ratio * len(judged))
    )


def _open(
    breaker: Breaker, observed: Observation, rules: Rules, uniform: Uniform, *, wrong: int | None = None
) -> Breaker:
    since = outage_began(breaker.since, breaker.recovered, observed.at, rules)
    least = rules.park if observed.signal is Signal.FATAL else 0.0
    wait = max(least, cool_off(observed.at - since, rules)) if wrong is None else wrong_cool_off(wrong, rules)
    until = observed.at + wait * uniform(1 - rules.jitter, 1 + rules.jitter)
    opened = Open(until, wait, _probers(breaker, observed), wrong)
    return replace(breaker.to(opened), since=since, recovered=None)


def _probers(breaker: Breaker, observed: Observation) -> tuple[str, ...]:
    """Those whose probes failed, with the job of this one; a breaker that was closed knew of none."""
    if not isinstance(breaker.state, HalfOpen):
        return ()
    others = [job for job in breaker.state.probers if job != observed.job]
    return (*others, observed.job)[-PROBERS:] if observed.job else breaker.state.probers


def _window(closed: Closed, call: CallSample, rules: Rules) -> tuple[CallSample, ...]:
    """The last calls that are young enough: all of them on probation, else from the first failure or doubt on."""
    young = [each for each in (*closed.window, call) if each.at > call.at - rules.window_seconds][-rules.window :]
    if closed.ramp is not None:
        return tuple(young)
    first_failure = next((i for i, each in enumerate(young) if each.client_error or not each.ok), len(young))
    return tuple(young[first_failure:])
