"""A plan as the gate reads it: one target per route and credential, in plan order, as ready-made script arguments."""

from holdfast.lanes.breaker_store import RulesOf, default_rules
from holdfast.lanes.keys import Keys
from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.reply import Usage
from holdfast.model.route import Api, Limits, Plan, Route
from holdfast.policy.rate_estimate import START_BURST, START_PER_MS
from holdfast.policy.rate_limit import per_minute
from holdfast.policy.signals import scope_names

LEASE_MARGIN = 5.0  # seconds that a slot outlives the call's own deadline
ANTHROPIC_OUTPUT = 250  # output tokens reserved where max_tokens counts for nothing; settled at real usage


class Target:
    """One way to make a call: a route with one of its credentials. ``scopes`` name the breakers that guard it."""

    def __init__(self, route: Route, credential: str) -> None:
        self.route, self.credential, self.name = route, credential, route.name
        self.scopes = tuple(scope_names(route.provider, route.model, credential).values())
        self.configured = frozenset(each for each, limit in _limits(route.limits).items() if limit is not None)

    @property
    def bucket(self) -> str:
        return f"{self.route.provider}/{self.credential}:{self.route.group}"

    @property
    def joint(self) -> bool:
        """Whether one token allowance covers input and output together, as OpenAI's does."""
        return self.route.api.wire is not Api.ANTHROPIC and self.route.limits.output_tokens_per_minute is None

    @property
    def learns(self) -> bool:
        """Whether the request limit is for us to find out."""
        return Dimension.REQUESTS not in self.configured

    @property
    def lease(self) -> float:
        return self.route.deadline + LEASE_MARGIN

    def real_cost(self, usage: Usage) -> tuple[int, int]:
        """Input and output units that a finished call used up. Anthropic's cache reads are free."""
        if self.route.api.wire is Api.ANTHROPIC:
            return usage.input - usage.cached, usage.output
        return usage.input + (usage.output if self.joint else 0), usage.output

    def reserved(self, need: Need) -> tuple[int, int]:
        """Input and output units that the gate reserves for a job: the rule that fetch.lua follows."""
        output = (
            min(need.output_tokens, ANTHROPIC_OUTPUT) if self.route.api.wire is Api.ANTHROPIC else need.output_tokens
        )
        return need.input_tokens + (need.output_tokens if self.joint else 0), output


def targets_of(plan: Plan) -> tuple[Target, ...]:
    return tuple(Target(route, credential) for route in plan.routes for credential in route.credentials)


def allowances(limits: Limits) -> list[float | None]:
    """Units per millisecond and capacity for requests, input and output tokens; None where the settings name none."""
    numbers: list[float | None] = []
    for limit in _limits(limits).values():
        allowance = None if limit is None else per_minute(limit)
        numbers += [None, None] if allowance is None else [allowance.per_ms, allowance.capacity]
    return numbers


class CompiledPlan:
    """Targets with the part of fetch.lua's keys and arguments that never changes for a plan."""

    def __init__(self, plan: Plan, keys: Keys, rules: RulesOf = default_rules) -> None:
        self.plan, self._rules = plan, rules
        self.targets = targets_of(plan)
        self.scopes = list(dict.fromkeys(scope for target in self.targets for scope in target.scopes))
        self.buckets = list(dict.fromkeys(target.bucket for target in self.targets))
        self.routes = list(dict.fromkeys(target.route.name for target in self.targets))
        self.keys = [
            *(keys.breaker(scope) for scope in self.scopes),
            *(keys.bucket(name) for name in self.buckets),
            *(keys.slots(name) for name in self.routes),
        ]
        self.arguments = self._arguments()

    def _arguments(self) -> list[bytes]:
        sizes = [len(self.scopes), len(self.buckets), len(self.routes), len(self.targets)]
        texts = [str(size) for size in sizes]
        for name in self.buckets:
            limits = next(target.route.limits for target in self.targets if target.bucket == name)
            texts += [_text(number) for number in allowances(limits)]
            texts += ["", ""] if limits.requests_per_minute else [repr(START_PER_MS), repr(START_BURST)]
        for name in self.routes:
            texts.append(_text(next(r.limits.concurrency for r in self.plan.routes if r.name == name)))
        for target in self.targets:
            texts += self._target(target)
        return [text.encode() for text in texts]

    def _target(self, target: Target) -> list[str]:
        output = str(ANTHROPIC_OUTPUT) if target.route.api.wire is Api.ANTHROPIC else ""
        return [
            target.route.name,
            target.bucket,
            str(self.buckets.index(target.bucket) + 1),
            str(self.routes.index(target.route.name) + 1),
            *(str(self.scopes.index(scope) + 1) for scope in target.scopes),
            repr(target.lease),
            repr(min(target.lease, self._rules(target.scopes[0]).probe_lease)),
            "1" if target.joint else "0",
            output,
        ]


def _limits(limits: Limits) -> dict[Dimension, float | None]:
    return {
        Dimension.REQUESTS: limits.requests_per_minute,
        Dimension.INPUT_TOKENS: limits.input_tokens_per_minute,
        Dimension.OUTPUT_TOKENS: limits.output_tokens_per_minute,
    }


def _text(number: float | None) -> str:
    return "" if number is None else repr(float(number))
