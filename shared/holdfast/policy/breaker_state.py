"""A breaker as a value: what each of its states holds. ``breaker`` moves it."""

from dataclasses import dataclass, field, replace

from holdfast.policy.auth_outage import AuthHistory
from holdfast.policy.fault_streak import FaultStreak
from holdfast.policy.suspects import Suspects


@dataclass(frozen=True, slots=True)
class CallSample:
    """One call in the window. ``at`` in seconds, when its signal came. ``client_error``: its job was called wrong."""

    at: float
    ok: bool
    client_error: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """Calls pass. While all of them succeed nothing is remembered, so that healthy calls cost no write."""

    failures: int = 0
    """Faults since the last success."""
    slow: float = 0.0
    """Slow calls that later successes did not make up for."""
    window: tuple[CallSample, ...] = ()
    """The calls since the oldest failure or client error that still counts; on probation all of them."""
    ramp: float | None = None
    """Calls that may be in flight after an outage, while the route is on probation. None: no cap."""
    reporters: frozenset[str] = frozenset()
    """Hosts that saw what failed; "" where the provider itself said so."""
    auth_history: AuthHistory = ()
    """Of an endpoint: what it answered to its credentials since one was refused."""
    streak: FaultStreak | None = None
    """The latest faults; kept until none came for ``window_seconds``."""
    failed_jobs: frozenset[str] = frozenset()
    """Jobs whose calls failed, as many as it takes to open."""
    suspects: Suspects = field(default_factory=dict)
    """Jobs whose refusals are in doubt: nobody succeeded since."""
    believed_until: float | None = None
    """Until when client errors are each job's own, as a burst of them came out. None: many of them open it."""


@dataclass(frozen=True, slots=True)
class Open:
    """No call passes before ``until``. ``cool_off`` is the wait in seconds before jitter.

    ``probers``: jobs whose probes failed in this outage, oldest first. ``wrong``: of a burst of client errors, how many
    probes in a row were called wrong as well; None: it is another outage.
    """

    until: float
    cool_off: float
    probers: tuple[str, ...] = ()
    wrong: int | None = None


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """One probe is out, until it answers or its lease ends at ``until``: a dead prober frees its place.

    ``granted_at``: when the present probe got its permit; 0: unknown, as in hashes that older code wrote.
    """

    until: float
    cool_off: float
    granted_at: float = 0.0
    probers: tuple[str, ...] = ()
    wrong: int | None = None


@dataclass(frozen=True, slots=True)
class ForcedOpen:
    """The operator wants no call here."""


@dataclass(frozen=True, slots=True)
class Disabled:
    """The operator wants calls here, whatever they bring."""


BreakerState = Closed | Open | HalfOpen | ForcedOpen | Disabled


@dataclass(frozen=True, slots=True)
class Breaker:
    """``since``: when the outage began (its first trip). ``recovered``: when the last one ended. Seconds.

    ``auth_outage``: this outage is one of an endpoint's logins, so a login that is refused means that it goes on.
    """

    state: BreakerState = Closed()
    epoch: int = 0
    since: float | None = None
    recovered: float | None = None
    auth_outage: bool = False

    def to(self, state: BreakerState) -> "Breaker":
        """Another state: signals of calls from before move nothing any more."""
        return replace(self, state=state, epoch=self.epoch + 1)

    def same_epoch(self, state: BreakerState) -> "Breaker":
        """Other details of the same state, so that every permit still counts."""
        return Breaker(state, self.epoch, self.since, self.recovered, self.auth_outage)
