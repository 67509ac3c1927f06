"""The gate of the simulation: one lane, whose permits ``policy.admission`` gives, and what finished calls give back."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf, nextafter

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.simulation.breaker import Moved, SimulatedBreaker
from holdfast.lab.simulation.bucket import NOTHING, SimulatedBucket
from holdfast.lab.simulation.evidence import SimulatedEvidence
from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedJob
from holdfast.lab.simulation.policy_hooks import Outcome, PolicyHooks
from holdfast.model.fault import FaultKind
from holdfast.model.job import Need
from holdfast.model.reply import Reply
from holdfast.policy.admission import LOOK, MAX_WAIT, BucketState, GateState, Grant, WindowScan
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker_state import Breaker
from holdfast.policy.comparison import Comparison
from holdfast.policy.fault_rules import may_be_billed, was_sent
from holdfast.policy.health import Health, health_of
from holdfast.policy.outcome_signals import job_at_stake, reports_auth
from holdfast.policy.signals import Observation, ScopeKind, Signal
from holdfast.policy.targets import targets_of

WELL = Health()


class SimulatedGate:
    """``waiting`` is the lane. ``probed`` is told how many probes of one breaker are out when one more is lent.

    ``shut_until``: nobody can be admitted sooner, unless something is recorded or given back meanwhile. To ask again
    and again would come to the same.
    """

    def __init__(  # the whole of what a gate is made of
        self, fleet: DrillPlan, hooks: PolicyHooks, uniform: Uniform, moved: Moved, probed: Callable[[int], None]
    ) -> None:
        self.plan, self.hooks, self.uniform, self.probed = fleet.plan, hooks, uniform, probed
        self.waiting: deque[SimulatedJob] = deque()
        self.targets = targets_of(fleet.plan, fleet.rules)
        self.troubled: dict[str, Breaker] = {}
        states: dict[str, BucketState] = {}
        self.in_flight = dict.fromkeys((target.name for target in self.targets), 0)
        self.state = GateState(self.troubled, states, self.in_flight)
        self.breakers = {
            scope: SimulatedBreaker(
                scope,
                self.troubled,
                fleet.rules(scope),
                [each for each in self.targets if scope in each.scopes],
                hooks,
                uniform,
                moved,
            )
            for target in self.targets
            for scope in target.scopes
        }
        self.buckets: dict[str, SimulatedBucket] = {}
        for target in self.targets:
            if target.bucket not in self.buckets:
                self.buckets[target.bucket] = SimulatedBucket(target, states, hooks)
        self.evidence = SimulatedEvidence()
        self.shut_until = 0.0

    def fetch(self, now: float, take: Callable[[SimulatedCall], bool]) -> float | None:
        """Give permits to waiting jobs in their order, until ``take`` wants no more or nobody can be admitted.

        Returns: when asking again may help the first job that was passed over; None: everybody was admitted.
        """
        self.shut_until = 0.0
        scan = self._scan(self._window(), now)
        for job, grant in scan:
            if not take(self._permit(job, grant, now)):
                break
        self.waiting.extendleft(reversed(scan.passed))
        if scan.refusal is None:
            return None
        retry_at = inf if scan.refusal.retry_in is None else nextafter(now + scan.refusal.retry_in, inf)
        if scan.refusal.shut and len(scan.passed) == 1 and self._waits_for_time(now):
            self.shut_until = retry_at
        return retry_at

    def _waits_for_time(self, now: float) -> bool:
        """Whether the targets, none of which admitted a job, will do so by time alone: no call's answer is needed."""
        return all(
            any(self.breakers[scope].shuts(now) for scope in target.scopes if scope in self.troubled)
            or (self.buckets[target.bucket].is_steady and self.in_flight[target.name] < target.slots)
            for target in self.targets
        )

    def hedge(self, job: SimulatedJob, need: Need, now: float) -> SimulatedCall | None:
        """A second permit for a job that its worker holds: never a probe. None: no route has room for it now."""
        scan = self._scan([(job, need)], now, hedged=True)
        return next((self._permit(job, grant, now) for job, grant in scan), None)

    def _scan(
        self, window: Iterable[tuple[SimulatedJob, Need]], now: float, *, hedged: bool = False
    ) -> WindowScan[SimulatedJob]:
        hooks = self.hooks
        waits = 0.0 if hedged else MAX_WAIT
        return WindowScan(window, self.targets, self.state, now, LOOK, hedged, _id_of, hooks.admit, hooks.take, waits)

    def _window(self) -> Iterator[tuple[SimulatedJob, Need]]:
        while self.waiting:
            job = self.waiting.popleft()
            yield job, job.need

    def _permit(self, job: SimulatedJob, grant: Grant, now: float) -> SimulatedCall:
        """Put a grant into effect."""
        target = grant.target
        left = self.buckets[target.bucket].take(grant.levels, now)
        self.in_flight[target.name] += 1
        call = SimulatedCall(job, target, left, probe=bool(grant.probed))
        for scope, probing in grant.probed.items():
            breaker = self.breakers[scope]
            self.probed(breaker.lend(call, now + target.probe_rules.probe_lease, now))
            breaker.become(probing, now)
        call.epochs = tuple([self.breakers[scope].breaker.epoch for scope in target.scopes])
        return call

    def comparison(self, call: SimulatedCall, now: float) -> Comparison:
        """As ``Gate.comparison``: what others' calls came to where this one failed."""
        return self.evidence.comparison(call, now)

    def settle(self, call: SimulatedCall, outcome: Outcome | None, now: float, *, own: bool = False) -> bool:
        """Give back what a finished call took, and tell the breakers. True: a state changed. Twice does it once.

        ``outcome`` None: the call was never made. ``own``: it failed by its job's doing alone.
        """
        if not call.held:
            return False
        call.held = False
        self.in_flight[call.target.name] -= 1
        self._charge(call, outcome, now, own=own)
        if outcome is not None:
            self.evidence.note(call, outcome, now)
        if call.told_slow:
            return self._record(call, self.hooks.signals(None), now) if call.probe else False
        if isinstance(outcome, Reply):
            if not call.probe and self.troubled.keys().isdisjoint(call.target.scopes):
                return False
            return self._record(call, self.hooks.signals(outcome), now)
        below = self._was_below_limit(call)
        job = job_at_stake(str(call.job.id), outcome)
        return self._record(call, self.hooks.signals(outcome, below_limit=below, own=own), now, job)

    def report_slow(self, call: SimulatedCall, now: float) -> bool:
        """A call still in flight is older than it should be. Once per call."""
        if call.told_slow or not call.held:
            return False
        call.told_slow, self.shut_until = True, 0.0
        slow = Observation(now, call.epochs[0], Signal.SLOW, job=str(call.job.id))
        return self.breakers[call.target.scopes[0]].record(call, slow)

    def health(self, now: float) -> Health:
        """As ``lanes.route_health``: which routes admit nothing now, with any credential, and which ramp."""
        ill = {scope for scope in self.troubled if self.breakers[scope].is_ill}
        ramping = {scope for scope in self.troubled if self.breakers[scope].is_ramping}
        paused = {name for name, bucket in self.state.buckets.items() if bucket.paused_until > now}
        believed = {scope for scope in self.troubled if self.breakers[scope].believes(now)}
        if not ill and not ramping and not paused and not believed:
            return WELL
        shut = {scope for scope in ill if self.breakers[scope].shuts(now)}
        return health_of(self.targets, ill=ill, shut=shut, ramping=ramping, paused=paused, believed=believed)

    def release(self, calls: Iterable[SimulatedCall], now: float) -> None:
        """Free what a dead worker held. Its units stay spent."""
        self.shut_until = 0.0
        for call in calls:
            if call.held:
                call.held = False
                self.in_flight[call.target.name] -= 1
                for scope in call.target.scopes:
                    self.breakers[scope].release(call, now)

    def lose(self, now: float, calls: Iterable[SimulatedCall]) -> None:
        """Redis was lost: windows, permits, breakers and levels with it."""
        self.waiting.clear()
        self.evidence.forget()
        self.shut_until = 0.0
        for call in calls:
            call.held = False
        self.in_flight.update(dict.fromkeys(self.in_flight, 0))
        for breaker in self.breakers.values():
            breaker.lose(now)
        for bucket in self.buckets.values():
            bucket.lose(now)

    def _charge(self, call: SimulatedCall, outcome: Outcome | None, now: float, *, own: bool) -> None:
        bucket, target, need = self.buckets[call.target.bucket], call.target, call.job.need
        if isinstance(outcome, Reply):
            bucket.settle(target, need, outcome.usage, now)
            bucket.answered(now, call.seconds)
        elif outcome is None or not was_sent(outcome):
            bucket.drop(target, need, now)
            self.shut_until = 0.0
        else:
            if not may_be_billed(outcome):
                bucket.settle(target, need, NOTHING, now)
            if own:
                return
            pause = self.hooks.pause(outcome, self.uniform, below_limit=self._was_below_limit(call))
            limited = outcome.kind is FaultKind.RATE_LIMITED
            if pause is not None or limited:
                bucket.refused(now, call.sent, pause or 0.0, teaches=limited)

    def _was_below_limit(self, call: SimulatedCall) -> bool:
        return self.buckets[call.target.bucket].is_below_limit(call.left)

    def _record(
        self, call: SimulatedCall, signals: Mapping[ScopeKind, Signal], now: float, job: str | None = None
    ) -> bool:
        """``job``: whose doing it may be; None: the call's."""
        changed, self.shut_until = False, 0.0
        credential = call.target.scopes[1] if reports_auth(signals) else ""
        for scope, epoch in zip(call.target.scopes, call.epochs, strict=True):
            breaker = self.breakers[scope]
            signal = signals.get(breaker.kind, Signal.NONE)
            if call.probe or signal is not Signal.NONE:
                said = credential if breaker.kind is ScopeKind.ENDPOINT else ""
                whose, replied = str(call.job.id) if job is None else job, self.evidence.replied(call.target)
                observation = Observation(
                    now, epoch, signal, credential=said, sent=call.sent or now, job=whose, replied=replied
                )
                changed = breaker.record(call, observation) or changed
        return changed


def _id_of(job: SimulatedJob) -> str:
    return str(job.id)
