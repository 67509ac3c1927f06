"""What this process alone cannot reach: while other hosts may, it keeps away by itself and opens no shared breaker."""

import random
from collections.abc import Iterable
from dataclasses import replace

from holdfast.model.fault import Fault
from holdfast.model.job import Permit
from holdfast.model.reply import Reply
from holdfast.model.route import Plan
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker import Refusal, admit, record
from holdfast.policy.breaker_rules import OWN_LINK
from holdfast.policy.breaker_state import Breaker, Closed
from holdfast.policy.outcome_signals import is_connectivity_fault, signals
from holdfast.policy.signals import Observation, ScopeKind, Signal


class LocalBreakers:
    """One breaker for each provider, of this process. ``host`` is "" while no other host works: then it sleeps."""

    def __init__(self, uniform: Uniform = random.uniform) -> None:
        self.host = ""
        self._uniform = uniform
        self._breakers: dict[str, Breaker] = {}

    def record(self, provider: str, outcome: Reply | Fault | None, now: float) -> None:
        """Take in how a call ended."""
        if not self.host:
            self._breakers.clear()
            return
        before = self._breakers.get(provider, Breaker())
        after = record(before, Observation(now, before.epoch, _signal(outcome)), OWN_LINK, self._uniform)
        if after.state == Closed():
            self._breakers.pop(provider, None)
        else:
            self._breakers[provider] = after

    def shut(self, now: float) -> frozenset[str]:
        """Providers that are not to be called from here now."""
        asked = {name: admit(each, now, OWN_LINK)[1] for name, each in self._breakers.items()}
        return frozenset(name for name, answer in asked.items() if isinstance(answer, Refusal))

    def narrow(self, plan: Plan, n: int, now: float) -> tuple[Plan, int]:
        """The part of ``plan`` that may be asked for, and how many jobs: one where a link is to be tried again."""
        if not self._breakers:
            return plan, n
        shut = self.shut(now)
        routes = tuple(route for route in plan.routes if route.provider not in shut)
        tried = any(self._is_trial(route.provider) for route in routes)
        return (plan if len(routes) == len(plan.routes) else replace(plan, routes=routes)), (1 if tried else n)

    def lend(self, permits: Iterable[Permit], now: float) -> None:
        """Note who is under way to a provider that is tried again."""
        for provider in {_provider_of(permit) for permit in permits} & self._breakers.keys():
            self._breakers[provider], _ = admit(self._breakers[provider], now, OWN_LINK)

    def record_permit(self, permit: Permit, outcome: Reply | Fault | None, now: float) -> None:
        self.record(_provider_of(permit), outcome, now)

    def _is_trial(self, provider: str) -> bool:
        breaker = self._breakers.get(provider)
        return breaker is not None and not isinstance(breaker.state, Closed)


def _provider_of(permit: Permit) -> str:
    return permit.route.partition("/")[0]


def _signal(outcome: Reply | Fault | None) -> Signal:
    if is_connectivity_fault(outcome):
        return Signal.FAULT
    answered = signals(outcome)[ScopeKind.ENDPOINT] in {Signal.OK, Signal.AUTH_REJECTED}
    return Signal.OK if answered else Signal.NONE
