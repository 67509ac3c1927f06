"""What a run comes to: counts while it goes on, figures when it is over."""

from math import inf

from holdfast.lab.report.run_record import SERVED, BreakerMove, Sample
from holdfast.lab.simulation.breaker import SimulatedBreaker
from holdfast.lab.simulation.job_table import JobTable
from holdfast.lab.simulation.jobs import SimulatedCall
from holdfast.lab.simulation.policy_hooks import Outcome
from holdfast.model.fault import Fault
from holdfast.policy.breaker_state import Breaker, Closed, HalfOpen, Open
from holdfast.policy.fault_rules import FAULT_RULES

LONG = 10.0  # calls, one after the other: a backlog that needs less is none
# Nobody waited for these calls any more.
EARLY = 5.0  # seconds after a recovery in which the herd would show


class Metrics:
    """``bars``: calls by provider, bar of the picture and outcome. ``bar``: seconds of one of them."""

    def __init__(self, ledger: JobTable, bar: float) -> None:
        self.ledger, self.bar = ledger, bar
        self.calls = self.failed = self.abandoned = self.trips = self.probes = 0
        self.took: list[float] = []
        self.routes: dict[str, int] = {}  # jobs done by each
        self.unknown: dict[str, int] = {}  # calls on each of which nobody knows whether they were billed
        self.samples: list[Sample] = []
        self.moves: list[BreakerMove] = []
        self.answers: dict[tuple[str, int, str], int] = {}
        self.early_most = 0
        self.peak = 0
        self.peak_at = 0.0
        self._early_until: dict[str, float] = {}
        self.draining: tuple[float, float, float] | None = None
        self.drain_ratio = 1.0

    def sent(self, call: SimulatedCall, in_flight: int) -> None:
        self.calls += 1
        if call.probe:
            self.probes += 1
        if self._early_until and call.sent < self._early_until.get(call.target.name, -inf):
            self.early_most = max(self.early_most, in_flight)

    def ended(self, call: SimulatedCall, outcome: Outcome, now: float) -> None:
        provider = call.target.route.provider
        if isinstance(outcome, Fault):
            self.failed += 1
            self.abandoned += FAULT_RULES[outcome.kind].given_up
            if outcome.ambiguous:
                self.unknown[call.target.name] = self.unknown.get(call.target.name, 0) + 1
            status = str(outcome.status or outcome.kind)
        else:
            status = SERVED
        key = (provider, int(now / self.bar), status)
        self.answers[key] = self.answers.get(key, 0) + 1

    def done(self, seconds: float, route: str) -> None:
        self.took.append(seconds)
        self.routes[route] = self.routes.get(route, 0) + 1

    def moved(self, guard: SimulatedBreaker, before: Breaker, now: float) -> None:
        """A breaker came into another state."""
        state = guard.breaker.state
        if isinstance(state, Open) and isinstance(before.state, Closed) and not guard.forgot:
            self.trips += 1
        if isinstance(state, Closed) and isinstance(before.state, HalfOpen) and guard.rules.ramp_start is not None:
            for target in guard.targets:
                self._early_until[target.name] = now + EARLY
        self.moves.append(BreakerMove(now, guard.name, shown(guard.breaker)))

    def healed(self, now: float, until: float, spare_per_second: float, takes: float) -> None:
        """A provider is well again from now ``until``; what waits can be drained at ``spare_per_second``.

        A call ``takes`` so long: what could be worked off within a few of them is no backlog.
        """
        self.given_up(now)
        if spare_per_second > 0:
            ideal = self.ledger.waiting / spare_per_second
            if ideal >= LONG * takes and now + ideal < until:
                self.draining = (now, ideal, until)

    def look(self, now: float) -> None:
        """Nobody waits for a moment: a drain, if there was one, is over."""
        if self.draining is not None and self.ledger.waiting == 0:
            self._drained(now)

    def given_up(self, now: float) -> None:
        """It is over, one way or the other: what was still draining took at least until now."""
        if self.draining is not None:
            self._drained(min(now, self.draining[2]))

    def _drained(self, now: float) -> None:
        assert self.draining is not None
        began, ideal, _ = self.draining
        self.drain_ratio = max(self.drain_ratio, (now - began) / ideal)
        self.draining = None

    def sample(self, now: float) -> None:
        ledger = self.ledger
        done = len(self.took)
        if ledger.waiting > self.peak:
            self.peak, self.peak_at = ledger.waiting, now
        self.samples.append(Sample(now, done, ledger.running, ledger.waiting, len(ledger.jobs) - ledger.live - done))


def shown(breaker: Breaker) -> str:
    """The state as a picture shows it."""
    match breaker.state:
        case Closed(ramp=ramp) if ramp is not None:
            return "ramping"
        case Closed():
            return "closed"
        case HalfOpen():
            return "half_open"
        case _:
            return "open"
