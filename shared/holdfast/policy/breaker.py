"""Circuit breaker: a value, and the functions that move it.

No clock, no Redis, no log: the caller passes ``now`` (seconds) and stores what it gets back.

    closed ──trips──▶ open ──cool-off over, one probe──▶ half open ──probe succeeds──▶ closed, ramping
                       ▲────────────── probe fails ────────────┘
    forced_open and disabled are the operator's; only the operator leaves them.

Every change of state makes a new epoch, and a verdict with another epoch moves nothing: answers from before an outage
cannot end it. A probe whose lease ran out is followed by another one *of the same epoch*, so that on a route whose
calls take longer than the lease the first probe to come back still decides.
"""

from dataclasses import dataclass, replace
from typing import Literal

from holdfast.policy.auth_outage import Logins, are_out, let_in, refused
from holdfast.policy.backoff import Uniform
from holdfast.policy.recovery import cool_off, next_ramp, outage_began
from holdfast.policy.rules import Rules
from holdfast.policy.verdict import Heard, Verdict

FOREVER = float("inf")
HARDLY_MORE = 1.5  # successes of calls from before for each fault: with every call failing, about one
CLOCKS_APART = 2.0  # seconds by which a worker's idea of the breaker's clock may lag
AT_ONCE = 0.0  # an end of a cool-off that lies before all others


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the window. ``at`` in seconds, when its verdict came. ``doubt``: its job was called wrong."""

    at: float
    ok: bool
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Faults of late: when the first and the last one came, and how many.

    ``before``: successes since then of calls that were sent before ``began``.
    """

    began: float
    last: float
    faults: int = 1
    before: int = 0

    def is_old_news(self, heard: Heard) -> bool:
        """Whether a success says nothing of now: sent before, while faults come as fast as such successes do.

        What was in flight comes back well for seconds into an outage. Where only some calls fail, far more come back.
        """
        sent_before = heard.sent is not None and heard.sent < self.began
        return sent_before and self.before <= HARDLY_MORE * self.faults + 1


@dataclass(frozen=True, slots=True)
class Closed:
    """Calls pass. An untroubled breaker remembers nothing, so that healthy calls cost no write.

    ``failures`` counts since the last success, ``slow`` the slow calls that later successes did not make up for.
    ``window`` holds the calls since the oldest failure or doubt that still matters. ``ramp`` caps calls in flight after
    an outage, while the route is on probation; None: no cap. ``witnesses`` saw what went wrong. ``logins``: what was
    said to credentials of an endpoint since one was refused. ``trouble``: kept until no fault came for
    ``window_seconds``.
    """

    failures: int = 0
    slow: float = 0.0
    window: tuple[Call, ...] = ()
    ramp: float | None = None
    witnesses: frozenset[str] = frozenset()
    logins: Logins = ()
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """No call passes before ``until``. ``cool_off`` is the wait in seconds before jitter."""

    until: float
    cool_off: float


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """One probe is out, until it answers or its lease ends at ``until``: a dead prober frees its place.

    ``lent``: when the present probe got its permit; 0: unknown, as in hashes that older code wrote.
    """

    until: float
    cool_off: float
    lent: float = 0.0


@dataclass(frozen=True, slots=True)
class ForcedOpen:
    """The operator wants no call here."""


@dataclass(frozen=True, slots=True)
class Disabled:
    """The operator wants calls here, whatever they bring."""


State = Closed | Open | HalfOpen | ForcedOpen | Disabled


@dataclass(frozen=True, slots=True)
class Breaker:
    """``since``: when the outage began (its first trip). ``recovered``: when the last one ended. Seconds.

    ``logins_out``: this outage is one of an endpoint's logins, so a login that is refused means that it goes on.
    """

    state: State = Closed()
    epoch: int = 0
    since: float | None = None
    recovered: float | None = None
    logins_out: bool = False

    def to(self, state: State) -> "Breaker":
        """Another state: verdicts of calls from before move nothing any more."""
        return replace(self, state=state, epoch=self.epoch + 1)

    def same_epoch(self, state: State) -> "Breaker":
        """Other details of the same state, so that every permit still counts."""
        return Breaker(state, self.epoch, self.since, self.recovered, self.logins_out)


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes, to one call. Its verdict is heard only under this ``epoch``."""

    epoch: int
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """No. ``retry_at`` in seconds; infinite when the operator forced the breaker open."""

    retry_at: float


def admit(breaker: Breaker, now: float, rules: Rules) -> tuple[Breaker, Permit | Refusal]:
    """Ask to make one call."""
    match breaker.state:
        case Closed() | Disabled():
            return breaker, Permit(breaker.epoch)
        case ForcedOpen():
            return breaker, Refusal(FOREVER)
        case Open(until) | HalfOpen(until) if now < until:
            return breaker, Refusal(until)
        case Open(_, cool_off):
            probing = breaker.to(HalfOpen(now + rules.probe_lease, cool_off, now))
        case HalfOpen(_, cool_off):
            probing = breaker.same_epoch(HalfOpen(now + rules.probe_lease, cool_off, now))
    return probing, Permit(probing.epoch, probe=True)


def hear(breaker: Breaker, heard: Heard, rules: Rules, uniform: Uniform) -> Breaker:
    """Take in one verdict. Returns the same object when nothing changed."""
    if heard.epoch != breaker.epoch:
        return breaker
    if heard.verdict is Verdict.LATE:
        heard = replace(heard, verdict=Verdict.NOTHING if allowance(breaker) is None else Verdict.SLOW)
    match breaker.state:
        case Closed() as closed:
            return _hear_closed(breaker, closed, heard, rules, uniform)
        case HalfOpen() as probed:
            return _hear_probe(breaker, probed, heard, rules, uniform)
        case _:
            return breaker


def allowance(breaker: Breaker) -> float | None:
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


def hasten(breaker: Breaker) -> Breaker:
    """End a cool-off early, because what was wrong was changed: the next call is the probe. Nothing else moves.

    Of a route's credentials it is then the one that has waited longest: see ``probing``.
    """
    match breaker.state:
        case Open(until) if until > AT_ONCE:
            return breaker.same_epoch(replace(breaker.state, until=AT_ONCE))
        case _:
            return breaker


def _hear_closed(breaker: Breaker, closed: Closed, heard: Heard, rules: Rules, uniform: Uniform) -> Breaker:
    match heard.verdict:
        case Verdict.NOTHING:
            return breaker
        case Verdict.OK:
            return _went_well(breaker, closed, heard, rules, _let_in(closed, heard))
        case Verdict.LOGIN:
            logins = refused(closed.logins, heard.credential, heard.at)
            if are_out(logins):
                return _open(replace(breaker, logins_out=True), heard, rules, uniform)
            return _went_well(breaker, closed, heard, rules, logins)
        case Verdict.DOUBT:
            return _doubted(breaker, closed, heard, rules, uniform)
        case _:
            return _went_wrong(breaker, closed, heard, rules, uniform)


def _hear_probe(breaker: Breaker, probed: HalfOpen, heard: Heard, rules: Rules, uniform: Uniform) -> Breaker:
    match heard.verdict:
        case Verdict.NOTHING:
            return _freed(breaker, probed, heard)
        case Verdict.DOUBT if probed.cool_off < rules.park:  # a wrong job says nothing of an outage
            return _freed(breaker, probed, heard)
        case Verdict.OK:
            return _closed_again(breaker, heard.at, rules)
        case Verdict.LOGIN if not breaker.logins_out:  # it answers, which is all that was in question
            return _closed_again(breaker, heard.at, rules)
        case _:
            return _open(breaker, heard, rules, uniform)


def _freed(breaker: Breaker, probed: HalfOpen, heard: Heard) -> Breaker:
    """The probe said nothing, so the next one may go. One that outlived its lease frees nothing: another is out."""
    sent = heard.at if heard.sent is None else heard.sent
    if sent < probed.lent - CLOCKS_APART:
        return breaker
    return breaker.same_epoch(replace(probed, until=min(probed.until, heard.at)))


def _closed_again(breaker: Breaker, at: float, rules: Rules) -> Breaker:
    return replace(breaker.to(_recovered(at, rules)), recovered=at, logins_out=False)


def _let_in(closed: Closed, heard: Heard) -> Logins:
    if not heard.credential:
        return closed.logins
    return let_in(closed.logins, heard.credential, heard.at, heard.at if heard.sent is None else heard.sent)


def _recovered(at: float, rules: Rules) -> Closed:
    """Closed again, and on probation where the rules know a ramp: the probe is the first call that counts."""
    if rules.ramp_start is None:
        return Closed()
    return Closed(window=(Call(at, ok=True),), ramp=rules.ramp_start)


def _went_well(breaker: Breaker, closed: Closed, heard: Heard, rules: Rules, logins: Logins) -> Breaker:
    if logins is closed.logins and closed == Closed():
        return breaker
    trouble = _after_success(closed.trouble, heard, rules)
    if trouble and trouble.is_old_news(heard):
        return breaker.same_epoch(replace(closed, logins=logins, trouble=trouble))
    at = heard.at
    ramp = next_ramp(closed.ramp, at - (breaker.recovered or at), rules)
    window = _window(closed, Call(at, ok=True), rules)
    slow = max(0.0, closed.slow - rules.forgives) if window else 0.0
    witnesses = closed.witnesses if window else frozenset()
    after = Closed(slow=slow, window=window, ramp=ramp, witnesses=witnesses, logins=logins, trouble=trouble)
    return breaker if after == closed else breaker.same_epoch(after)


def _after_success(trouble: Trouble | None, heard: Heard, rules: Rules) -> Trouble | None:
    if trouble is None or heard.at - trouble.last >= rules.window_seconds:
        return None
    sent_before = heard.sent is not None and heard.sent < trouble.began
    return replace(trouble, before=trouble.before + 1) if sent_before else trouble


def _doubted(breaker: Breaker, closed: Closed, heard: Heard, rules: Rules, uniform: Uniform) -> Breaker:
    """One wrong job is its own affair; so many at once are the route's."""
    window = _window(closed, Call(heard.at, ok=True, doubt=True), rules)
    young = [call for call in window if call.at > heard.at - rules.storm_seconds]
    if rules.storm is not None and len(young) >= rules.storm and 2 * sum(call.doubt for call in young) >= len(young):
        return _open(breaker, heard, rules, uniform)
    return breaker.same_epoch(replace(closed, window=window))


def _went_wrong(breaker: Breaker, closed: Closed, heard: Heard, rules: Rules, uniform: Uniform) -> Breaker:
    troubled = Closed(
        failures=closed.failures + 1,
        slow=closed.slow + (1.0 if heard.verdict is Verdict.SLOW else 0.0),
        window=_window(closed, Call(heard.at, ok=False), rules),
        ramp=rules.ramp_start if closed.ramp is not None and rules.ramp_anew else closed.ramp,
        witnesses=closed.witnesses | {heard.witness},
        logins=closed.logins,
        trouble=_after_fault(closed.trouble, heard, rules),
    )
    if heard.verdict is Verdict.FATAL or _trips(troubled, rules):
        return _open(breaker, heard, rules, uniform)
    return breaker.same_epoch(troubled)


def _after_fault(trouble: Trouble | None, heard: Heard, rules: Rules) -> Trouble | None:
    """The trouble with one more call in it. A slow call is none: its route answers."""
    if heard.verdict is Verdict.SLOW:
        return trouble
    if trouble is None or heard.at - trouble.last >= rules.window_seconds:
        return Trouble(heard.at, heard.at)
    return replace(trouble, last=max(trouble.last, heard.at), faults=trouble.faults + 1)


def _trips(closed: Closed, rules: Rules) -> bool:
    judged = [call for call in closed.window if not call.doubt]
    failed = sum(not call.ok for call in judged)
    least = rules.window_least if closed.ramp is None else rules.ramp_least
    believed = "" in closed.witnesses or len(closed.witnesses) >= rules.witnesses
    return believed and (
        closed.failures >= rules.consecutive
        or (rules.slow is not None and closed.slow >= rules.slow)
        or (rules.ratio is not None and len(judged) >= least and failed >= rules.ratio * len(judged))
    )


def _open(breaker: Breaker, heard: Heard, rules: Rules, uniform: Uniform) -> Breaker:
    since = outage_began(breaker.since, breaker.recovered, heard.at, rules)
    least = rules.park if heard.verdict in {Verdict.FATAL, Verdict.DOUBT} else 0.0
    wait = max(least, cool_off(heard.at - since, rules))
    until = heard.at + wait * uniform(1 - rules.jitter, 1 + rules.jitter)
    return replace(breaker.to(Open(until, wait)), since=since, recovered=None)


def _window(closed: Closed, call: Call, rules: Rules) -> tuple[Call, ...]:
    """The last calls that are young enough: all of them on probation, else from the first failure or doubt on."""
    young = [each for each in (*closed.window, call) if each.at > call.at - rules.window_seconds][-rules.window :]
    if closed.ramp is not None:
        return tuple(young)
    first_failure = next((i for i, each in enumerate(young) if each.doubt or not each.ok), len(young))
    return tuple(young[first_failure:])
