"""What guards a call in the twin of the gate: breakers and slots. Policy moves them; here they are only kept."""

from collections.abc import Callable
from math import inf

from holdfast.lab.simulation.bucket import SimulatedBucket
from holdfast.lab.simulation.jobs import SimulatedCall
from holdfast.lab.simulation.policy_hooks import PolicyHooks
from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.reply import Usage
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker import Breaker, Closed, Disabled, HalfOpen, Open, Refusal, allowance
from holdfast.policy.breaker_rules import Rules
from holdfast.policy.signals import Observation, ScopeKind, scope_kind
from holdfast.policy.targets import Target

CALM = Closed()  # a breaker in this state hears a success without a change: see policy.breaker
Moved = Callable[["SimulatedBreaker", Breaker, float], None]


class SimulatedBreaker:
    """One breaker: of a route, a credential or an endpoint. ``probes`` are those whose signal is still out.

    ``forgot``: it opens only because Redis was lost, not because of its provider.
    """

    __slots__ = ("breaker", "forgot", "hooks", "kind", "moved", "name", "probes", "rules", "targets", "uniform")

    def __init__(self, name: str, rules: Rules, hooks: PolicyHooks, uniform: Uniform, moved: Moved) -> None:
        self.name, self.rules, self.hooks, self.uniform, self.moved = name, rules, hooks, uniform, moved
        self.kind: ScopeKind = scope_kind(name)
        self.breaker = Breaker()
        self.forgot = False
        self.targets: list[SimulatedTarget] = []
        self.probes: dict[SimulatedCall, float] = {}

    def become(self, breaker: Breaker, now: float) -> bool:
        """Take the next value of the breaker. True: its state changed, and what waits may want to know."""
        before = self.breaker
        if breaker is before:
            return False
        self.breaker = breaker
        for target in self.targets:
            target.look()
        if breaker.epoch == before.epoch:
            if allowance(before) is not None and allowance(breaker) is None:
                self.moved(self, before, now)  # the ramp is over
            return False
        self.probes.clear()  # what they tell now moves nothing
        self.moved(self, before, now)
        return True

    def record(self, call: SimulatedCall, observation: Observation) -> bool:
        self.probes.pop(call, None)
        return self.become(self.hooks.record(self.breaker, observation, self.rules, self.uniform), observation.at)

    def lend(self, call: SimulatedCall, until: float, now: float) -> int:
        """``call`` probes from now on. How many probes are out, with it."""
        self.probes = {each: ends for each, ends in self.probes.items() if ends > now}
        self.probes[call] = until
        return len(self.probes)

    def release(self, call: SimulatedCall, now: float) -> None:
        """The prober died: its place is free."""
        if self.probes.pop(call, None) is not None and isinstance(self.breaker.state, HalfOpen):
            freed = HalfOpen(now, self.breaker.state.cool_off)
            self.breaker = Breaker(freed, self.breaker.epoch, self.breaker.since, self.breaker.recovered)

    def shuts(self, now: float) -> bool:
        """Whether it admits nothing now: what ``Health`` is made of."""
        match self.breaker.state:
            case Closed() | Disabled():
                return False
            case Open(until) | HalfOpen(until):
                return now < until
            case _:
                return True

    def lose(self, now: float) -> None:
        """Redis was lost with what it knew: the first call is a probe."""
        self.probes.clear()
        self.forgot = True
        self.become(Breaker(Open(0.0, 1.0), max(self.breaker.epoch + 1, int(now))), now)
        self.forgot = False


class CallSlots:
    """Calls in flight on a route. ``limit``: how many may be."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int | None) -> None:
        self.limit: float = inf if limit is None else limit
        self.used = 0


class SimulatedTarget:
    """A route with one of its credentials. ``plain``: nothing but slots and units stands between it and a job.

    ``calm``: a success changes none of its breakers. ``costs``: what one call takes from the bucket. ``lease``: seconds
    that a probe holds its place.
    """

    __slots__ = (
        "bucket", "calm", "costs", "epochs", "guards", "lease", "name", "plain", "probing", "ramp", "reserved", "route",
        "rules", "slots", "used",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  # the whole of what a target is made of
        self,
        target: Target,
        guards: tuple[SimulatedBreaker, SimulatedBreaker, SimulatedBreaker],
        bucket: SimulatedBucket,
        slots: CallSlots,
        need: Need,
        usage: Usage,
    ) -> None:
        self.route, self.name, self.guards, self.bucket, self.slots = target.route, target.name, guards, bucket, slots
        self.reserved, self.used = target.reserved(need), target.real_cost(usage)
        self.costs = {
            Dimension.REQUESTS: 1.0,
            Dimension.INPUT_TOKENS: float(self.reserved[0]),
            Dimension.OUTPUT_TOKENS: float(self.reserved[1]),
        }
        self.lease = min(target.lease, guards[0].rules.probe_lease)
        self.rules = [guard.rules.but({"probe_lease": self.lease}) for guard in guards]
        self.ramp: float = inf
        self.plain = self.calm = True
        self.epochs: tuple[int, ...] = (0, 0, 0)
        self.probing: list[tuple[SimulatedBreaker, Breaker]] = []
        for guard in guards:
            guard.targets.append(self)

    def look(self) -> None:
        """A breaker moved: know again what follows from all of them."""
        states = [guard.breaker.state for guard in self.guards]
        self.epochs = tuple(guard.breaker.epoch for guard in self.guards)
        self.calm = all(state == CALM for state in states)
        self.plain = all(isinstance(state, Closed | Disabled) for state in states)
        ramps = [allowance(guard.breaker) for guard in self.guards]
        self.ramp = min((max(1.0, ramp // 1) for ramp in ramps if ramp is not None), default=inf)

    def asks(self, now: float) -> float:
        """Ask the breakers for one more call: 0 and ``probing`` tells what they become, or when to ask again."""
        self.probing = []
        for guard, rules in zip(self.guards, self.rules, strict=True):
            breaker, answer = guard.hooks.admit(guard.breaker, now, rules)
            if isinstance(answer, Refusal):
                return answer.retry_at
            if answer.probe:
                self.probing.append((guard, breaker))
        return 0.0

    def shut(self, now: float) -> bool:
        return self.bucket.paused_until > now or any(guard.shuts(now) for guard in self.guards)
