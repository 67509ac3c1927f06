"""A breaker of the simulation: ``policy.breaker`` moves it; here it is kept, and its probes are counted."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.lab.simulation.jobs import SimulatedCall
from holdfast.lab.simulation.policy_hooks import PolicyHooks
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker import ramp_limit
from holdfast.policy.breaker_rules import Rules
from holdfast.policy.breaker_state import Breaker, Closed, Disabled, HalfOpen, Open
from holdfast.policy.signals import Observation, ScopeKind, scope_kind
from holdfast.policy.targets import Target

CALM = Closed()  # a breaker in this state hears a success without a change: see policy.breaker
Moved = Callable[["SimulatedBreaker", Breaker, float], None]


class SimulatedBreaker:
    """One ``breaker``, of a route, a credential or an endpoint. ``troubled``, which the gate reads, has it by scope.

    While it is calm, which is where a success changes nothing, it is not listed there: the gate need not ask it.
    ``targets`` are those that it guards. ``moved`` is told of every change of state, with the value from before.
    ``probes`` are the calls whose signal is still out. ``forgot``: it opens only because Redis was lost.
    """

    __slots__ = (
        "breaker", "forgot", "hooks", "kind", "moved", "name", "probes", "rules", "targets", "troubled", "uniform",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  # the whole of what a breaker is made of
        self,
        name: str,
        troubled: dict[str, Breaker],
        rules: Rules,
        targets: Sequence[Target],
        hooks: PolicyHooks,
        uniform: Uniform,
        moved: Moved,
    ) -> None:
        self.name, self.rules, self.targets = name, rules, targets
        self.hooks, self.uniform, self.moved = hooks, uniform, moved
        self.kind: ScopeKind = scope_kind(name)
        self.forgot = False
        self.probes: dict[SimulatedCall, float] = {}
        self.breaker, self.troubled = Breaker(), troubled

    @property
    def is_ill(self) -> bool:
        """Whether it opened and has not closed since."""
        return not isinstance(self.breaker.state, Closed | Disabled)

    @property
    def is_ramping(self) -> bool:
        return ramp_limit(self.breaker) is not None

    def become(self, breaker: Breaker, now: float) -> bool:
        """Take the next value of the breaker. True: its state changed, and what waits may want to know."""
        before = self.breaker
        if breaker is before:
            return False
        self._keep(breaker)
        if breaker.epoch == before.epoch:
            if ramp_limit(before) is not None and ramp_limit(breaker) is None:
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
        breaker = self.breaker
        if self.probes.pop(call, None) is not None and isinstance(breaker.state, HalfOpen):
            self._keep(breaker.same_epoch(replace(breaker.state, until=now)))

    def _keep(self, breaker: Breaker) -> None:
        self.breaker = breaker
        if breaker.state == CALM:
            self.troubled.pop(self.name, None)
        else:
            self.troubled[self.name] = breaker

    def shuts(self, now: float) -> bool:
        """Whether it admits nothing now: what ``Health`` is made of."""
        state = self.breaker.state
        return self.is_ill and not (isinstance(state, Open | HalfOpen) and now >= state.until)

    def believes(self, now: float) -> bool:
        """Whether client errors are each job's own."""
        state = self.breaker.state
        return isinstance(state, Closed) and state.believed_until is not None and now < state.believed_until

    def lose(self, now: float) -> None:
        """Redis was lost with what it knew: the first call is a probe."""
        self.probes.clear()
        self.forgot = True
        self.become(Breaker(Open(0.0, 1.0), max(self.breaker.epoch + 1, int(now))), now)
        self.forgot = False
