"""A plan as the gate's scripts read it: the part of their keys and arguments that never changes, made once."""

from holdfast.lanes.keys import Keys
from holdfast.model.job import Permit
from holdfast.model.route import Limits, Plan
from holdfast.policy.breaker_rules import RulesOf, default_rules
from holdfast.policy.rate_estimate import START_BURST, START_LEVEL, START_PER_MS
from holdfast.policy.rate_limit import per_minute
from holdfast.policy.targets import Target, limits_by_dimension, targets_of


class CompiledPlan:
    """The targets of a plan with fetch.lua's keys and arguments for them.

    ``scopes``, ``buckets`` and ``routes`` name the breakers, rate allowances and slots in the order of ``keys``.
    """

    def __init__(self, plan: Plan, keys: Keys, rules: RulesOf = default_rules) -> None:
        self.plan = plan
        self.targets = targets_of(plan, rules)
        self.scopes = list(dict.fromkeys(scope for target in self.targets for scope in target.scopes))
        self.buckets = list(dict.fromkeys(target.bucket for target in self.targets))
        self.routes = list(dict.fromkeys(target.name for target in self.targets))
        self.keys = [
            *(keys.breaker(scope) for scope in self.scopes),
            *(keys.bucket(name) for name in self.buckets),
            *(keys.slots(name) for name in self.routes),
        ]
        self.arguments = self._arguments()

    def _arguments(self) -> list[bytes]:
        texts = [str(len(each)) for each in (self.scopes, self.buckets, self.routes, self.targets)]
        for name in self.buckets:
            texts += _allowances(next(target.route.limits for target in self.targets if target.bucket == name))
        for name in self.routes:
            texts.append(_text(next(route.limits.concurrency for route in self.plan.routes if route.name == name)))
        for target in self.targets:
            texts += self._target(target)
        return [text.encode() for text in texts]

    def _target(self, target: Target) -> list[str]:
        return [
            target.name,
            target.bucket,
            str(self.buckets.index(target.bucket) + 1),
            str(self.routes.index(target.name) + 1),
            *(str(self.scopes.index(scope) + 1) for scope in target.scopes),
            repr(target.lease),
            repr(target.probe_rules.probe_lease),
            "1" if target.joint else "0",
            "" if target.most_output is None else str(target.most_output),
        ]


class CompiledPlans:
    """The plans that a gate has met, compiled, and their targets."""

    def __init__(self, keys: Keys, rules: RulesOf = default_rules) -> None:
        self._keys, self._rules = keys, rules
        self._plans: dict[str, CompiledPlan] = {}
        self._targets: dict[tuple[str, str], Target] = {}

    def of(self, plan: Plan) -> CompiledPlan:
        """Return the compiled plan. One narrowed to what this host can reach takes turns with the whole one."""
        name = f"{plan.model}:{len(plan.routes)}"
        compiled = self._plans.get(name)
        if compiled is None or (compiled.plan is not plan and compiled.plan != plan):
            compiled = self._plans[name] = CompiledPlan(plan, self._keys, self._rules)
            self._targets |= {(target.name, target.credential): target for target in compiled.targets}
        return compiled

    def target(self, permit: Permit) -> Target | None:
        """Return what a permit is for; None where no plan of this process knows it any more."""
        return self._targets.get((permit.route, permit.credential))


def _allowances(limits: Limits) -> list[str]:
    """Rate and capacity for requests, input and output tokens; then those of an unknown request rate, and its level."""
    numbers = list[float | None]()
    for limit in limits_by_dimension(limits).values():
        allowance = None if limit is None else per_minute(limit)
        numbers += [None, None] if allowance is None else [allowance.per_ms, allowance.capacity]
    numbers += [None, None, None] if limits.requests_per_minute else [START_PER_MS, START_BURST, START_LEVEL]
    return [_text(number) for number in numbers]


def _text(number: float | None) -> str:
    return "" if number is None else repr(float(number))
