"""The twin of the gate: no permit, no call. One lane, the targets of one plan, and the order of ``fetch.lua``."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import inf

from holdfast.lab.drill.drill_plan import DrillPlan
from holdfast.lab.drill.scenario import Load
from holdfast.lab.simulation.bucket import SimulatedBucket
from holdfast.lab.simulation.jobs import SimulatedCall, SimulatedJob, need_of
from holdfast.lab.simulation.policy_hooks import Outcome, PolicyHooks
from holdfast.lab.simulation.targets import CallSlots, Moved, SimulatedBreaker, SimulatedTarget
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Reply, Usage
from holdfast.policy.backoff import Uniform
from holdfast.policy.fault_rules import may_be_billed, was_sent
from holdfast.policy.outcome_signals import reports_auth
from holdfast.policy.probe_order import probe_rank
from holdfast.policy.retry import Avoid, Health, still_avoided
from holdfast.policy.signals import Observation, ScopeKind, Signal
from holdfast.policy.targets import targets_of

LOOK = 64  # jobs that may be passed over in one fetch
POLL = 0.1  # seconds: what another call's answer may change at any moment is asked for again this soon
WELL = Health()


class SimulatedGate:
    """``waiting`` is the lane. ``probed`` is told how many probes of one breaker are out when one more is lent.

    ``shut_until``: nobody can be admitted sooner, unless something is recorded or given back meanwhile. To ask again
    and again would come to the same.
    """

    def __init__(  # noqa: PLR0917  # the whole of what a gate is made of
        self,
        fleet: DrillPlan,
        load: Load,
        hooks: PolicyHooks,
        uniform: Uniform,
        moved: Moved,
        probed: Callable[[int], None],
    ) -> None:
        self.plan, self.hooks, self.uniform, self.probed = fleet.plan, hooks, uniform, probed
        self.waiting: deque[SimulatedJob] = deque()
        self.guards: dict[str, SimulatedBreaker] = {}
        self.buckets: dict[str, SimulatedBucket] = {}
        self.targets: list[SimulatedTarget] = []
        need, usage = need_of(load), Usage(input=load.input_tokens, output=load.output_tokens)
        slots = {route.name: CallSlots(route.limits.concurrency) for route in fleet.plan.routes}
        for each in targets_of(fleet.plan):
            for scope in each.scopes:
                self.guards.setdefault(scope, SimulatedBreaker(scope, fleet.rules(scope), hooks, uniform, moved))
            bucket = self.buckets.setdefault(each.bucket, SimulatedBucket(each.bucket, each.route.limits, hooks))
            of_route, of_credential, of_endpoint = (self.guards[scope] for scope in each.scopes)
            guards = of_route, of_credential, of_endpoint
            self.targets.append(SimulatedTarget(each, guards, bucket, slots[each.name], need, usage))
        self._fetch = 0
        self._in_turn = self.targets
        self._many = any(len(route.credentials) > 1 for route in fleet.plan.routes)
        self._sure = False  # whether only time can change what refused the last job
        self.shut_until = 0.0

    def fetch(self, now: float, take: Callable[[SimulatedCall], bool]) -> float | None:
        """Give permits to waiting jobs in their order, until ``take`` wants no more or nobody can be admitted.

        Returns: None, or the time at which asking again may help the first job that was passed over.
        """
        self._fetch += 1
        self._in_turn = self._order(now)
        self.shut_until = 0.0
        waiting, passed, again = self.waiting, [], None
        while waiting:
            job = waiting.popleft()
            call, retry_at, shut = self._place(job, now)
            if call is not None:
                if not take(call):
                    break
                continue
            if again is None:
                again = retry_at
            passed.append(job)
            if shut and self._sure and len(passed) == 1:
                self.shut_until = retry_at
            if shut or len(passed) >= LOOK:
                break
        if passed:
            waiting.extendleft(reversed(passed))
        return again

    def hedge(self, job: SimulatedJob, avoid: Avoid, now: float) -> SimulatedCall | None:
        """A second permit for a job that its worker holds: never a probe. None: no route has room for it now."""
        self._fetch += 1
        barred = still_avoided(avoid, now)
        for target in self._order(now):
            if target.plain and target.name not in barred and not self._asks(target, now):
                return self._permit(job, target, now)
        return None

    def _order(self, now: float) -> list[SimulatedTarget]:
        """The targets in the order in which they are offered a job: the plan's, but for credentials that are ill."""
        if not self._many or all(target.plain for target in self.targets):
            return self.targets
        places = {route.name: place for place, route in enumerate(self.plan.routes)}

        def key(target: SimulatedTarget) -> tuple[int, float]:
            _, credential, endpoint = target.guards
            return places[target.name], probe_rank(credential.breaker, endpoint.breaker, now)

        return sorted(self.targets, key=key)

    def _place(self, job: SimulatedJob, now: float) -> tuple[SimulatedCall | None, float, bool]:
        """Offer a job to the targets in order: its call; or when to ask again, and whether all are shut to all."""
        avoid, retry_at, shut = job.need.avoid, inf, True
        self._sure = True
        for target in self._in_turn:
            if avoid and target.name in avoid:
                until = avoid[target.name]
                if until is None or until > now:
                    shut = False
                    retry_at = min(retry_at, inf if until is None else until)
                    continue
            again = self._asks(target, now)
            if not again:
                return self._permit(job, target, now), 0.0, False
            retry_at = min(retry_at, again)
        return None, retry_at, shut

    def _asks(self, target: SimulatedTarget, now: float) -> float:
        """Ask everything that guards a target for one call: 0 and the units are taken, or when to ask again."""
        bucket = target.bucket
        if bucket.short == self._fetch:
            self._sure = False
            return now + POLL
        if not target.plain and (retry_at := target.asks(now)):
            return max(retry_at, now + 0.001)
        if target.slots.used >= target.ramp or target.slots.used >= target.slots.limit:
            self._sure = False
            return now + POLL
        wait = bucket.take(target.costs, now)
        if wait:
            bucket.short = self._fetch
            self._sure = self._sure and bucket.steady
            return now + wait
        return 0.0

    def _permit(self, job: SimulatedJob, target: SimulatedTarget, now: float) -> SimulatedCall:
        call = SimulatedCall(job, target, target.epochs)
        call.below_limit = target.bucket.below_limit
        target.slots.used += 1
        if not target.plain:
            call.probe = True
            for guard, breaker in target.probing:
                self.probed(guard.lend(call, now + target.lease, now))
                guard.become(breaker, now)
            call.epochs = target.epochs
        return call

    def settle(self, call: SimulatedCall, outcome: Outcome | None, now: float) -> bool:
        """Give back what a finished call took, and tell the breakers. True: a state changed. Twice does it once.

        ``outcome`` None: the call was never made.
        """
        if not call.held:
            return False
        call.held = False
        target = call.target
        target.slots.used -= 1
        self._charge(call, outcome, now)
        if call.told_slow:
            return self._record(call, self.hooks.signals(None), now) if call.probe else False
        if isinstance(outcome, Reply):
            if target.calm and not call.probe:
                return False
            return self._record(call, self.hooks.signals(outcome), now)
        return self._record(call, self.hooks.signals(outcome, below_limit=call.below_limit), now)

    def report_slow(self, call: SimulatedCall, now: float) -> bool:
        """A call still in flight is older than it should be. Once per call."""
        if call.told_slow or not call.held:
            return False
        call.told_slow, self.shut_until = True, 0.0
        return call.target.guards[0].record(call, Observation(now, call.epochs[0], Signal.SLOW))

    def health(self, now: float) -> Health:
        """As ``lanes.health``: which routes admit nothing now, with any credential, and which are on probation."""
        if all(target.plain and target.ramp == inf and target.bucket.paused_until <= now for target in self.targets):
            return WELL
        names = frozenset(target.name for target in self.targets)
        admitting = {target.name for target in self.targets if not target.shut(now)}
        well = {target.name for target in self.targets if target.plain}
        proved = {target.name for target in self.targets if target.ramp == inf}
        return Health(names - admitting, names - well, names - proved)

    def release(self, calls: Iterable[SimulatedCall], now: float) -> None:
        """Free what a dead worker held. Its units stay spent."""
        self.shut_until = 0.0
        for call in calls:
            if call.held:
                call.held = False
                call.target.slots.used -= 1
                for guard in call.target.guards:
                    guard.release(call, now)

    def lose(self, now: float, calls: Iterable[SimulatedCall]) -> None:
        """Redis was lost: windows, permits, breakers and levels with it."""
        self.waiting.clear()
        self.shut_until = 0.0
        for call in calls:
            call.held = False
        for target in self.targets:
            target.slots.used = 0
        for guard in self.guards.values():
            guard.lose(now)
        for bucket in self.buckets.values():
            bucket.lose(now)

    def _charge(self, call: SimulatedCall, outcome: Outcome | None, now: float) -> None:
        target, bucket = call.target, call.target.bucket
        if isinstance(outcome, Reply):
            bucket.settle(target.reserved, target.used, now)
            bucket.answered(now)
        elif outcome is None or not was_sent(outcome):
            bucket.drop(target.reserved, now)
            self.shut_until = 0.0
        else:
            if not may_be_billed(outcome):
                bucket.settle(target.reserved, (0.0, 0.0), now)
            pause = self.hooks.pause(outcome, self.uniform, below_limit=call.below_limit)
            limited = outcome.kind is FaultKind.RATE_LIMITED
            if pause is not None or limited:
                bucket.refused(now, call.sent, pause or 0.0, teaches=limited)

    def _record(self, call: SimulatedCall, signals: Mapping[ScopeKind, Signal], now: float) -> bool:
        changed, self.shut_until = False, 0.0
        said = call.target.guards[1].name if reports_auth(signals) else ""
        for guard, epoch in zip(call.target.guards, call.epochs, strict=True):
            signal = signals.get(guard.kind, Signal.NONE)
            if call.probe or signal is not Signal.NONE:
                credential = said if guard.kind is ScopeKind.ENDPOINT else ""
                observation = Observation(now, epoch, signal, credential=credential, sent=call.sent or now)
                changed = guard.record(call, observation) or changed
        return changed
