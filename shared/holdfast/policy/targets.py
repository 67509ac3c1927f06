"""The ways to make a call: each route of a plan taken with each of its credentials, and what a call costs there."""

from collections.abc import Mapping
from math import inf

from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.reply import Usage
from holdfast.model.route import Api, Limits, Plan, Route
from holdfast.policy.breaker_rules import Rules, RulesOf, default_rules
from holdfast.policy.signals import scope_names

LEASE_MARGIN = 5.0  # seconds that a slot outlives the call's own deadline
ANTHROPIC_OUTPUT = 250  # output tokens reserved where max_tokens counts for nothing; settled at real usage


class Target:
    """One way to make a call: ``route`` with one of its credentials.

    ``name`` is the route's. ``scopes`` name the three breakers that guard it: route, credential, endpoint. ``bucket``
    names its rate allowance. ``lease`` is how long a call keeps its slot, in seconds; a probe keeps its breakers half
    open for ``probe_rules.probe_lease``. ``slots`` is how many calls its route may have in flight. ``configured``: the
    dimensions whose limit the configuration names. ``joint``: one token allowance covers input and output together, as
    OpenAI's does. ``most_output`` caps the output tokens that are reserved; None: no cap.
    """

    def __init__(self, route: Route, credential: str, rules: RulesOf = default_rules) -> None:
        self.route, self.credential, self.name = route, credential, route.name
        self.scopes = tuple(scope_names(route.provider, route.model, credential).values())
        self.bucket = f"{route.provider}/{credential}:{route.group}"
        self.lease = route.deadline + LEASE_MARGIN
        self.probe_rules = Rules(probe_lease=min(self.lease, rules(self.scopes[0]).probe_lease))
        self.slots = inf if route.limits.concurrency is None else route.limits.concurrency
        self.configured = frozenset(
            each for each, limit in limits_by_dimension(route.limits).items() if limit is not None
        )
        is_anthropic = route.api.wire is Api.ANTHROPIC
        self.joint = not is_anthropic and route.limits.output_tokens_per_minute is None
        self.most_output = ANTHROPIC_OUTPUT if is_anthropic else None
        self._cached_input_is_free = is_anthropic

    @property
    def learns(self) -> bool:
        """Whether the request limit is for us to find out."""
        return Dimension.REQUESTS not in self.configured

    def reserved(self, need: Need) -> tuple[int, int]:
        """Return the input and output tokens that a call reserves, by the job's own estimate."""
        output = need.output_tokens if self.most_output is None else min(need.output_tokens, self.most_output)
        return need.input_tokens + (need.output_tokens if self.joint else 0), output

    def costs(self, need: Need) -> Mapping[Dimension, float]:
        """Return the units that a call takes from the bucket: one request, and the tokens that it reserves."""
        input_tokens, output_tokens = self.reserved(need)
        return {
            Dimension.REQUESTS: 1.0,
            Dimension.INPUT_TOKENS: float(input_tokens),
            Dimension.OUTPUT_TOKENS: float(output_tokens),
        }

    def real_cost(self, usage: Usage) -> tuple[int, int]:
        """Return the input and output units that a finished call used up. Anthropic's cache reads are free."""
        if self._cached_input_is_free:
            return usage.input - usage.cached, usage.output
        return usage.input + (usage.output if self.joint else 0), usage.output


def targets_of(plan: Plan, rules: RulesOf = default_rules) -> tuple[Target, ...]:
    """Return the targets of a plan in its order: routes first, then the credentials of each."""
    return tuple(Target(route, credential, rules) for route in plan.routes for credential in route.credentials)


def limits_by_dimension(limits: Limits) -> Mapping[Dimension, float | None]:
    """Return units per minute for each dimension; None where the configuration names none."""
    return {
        Dimension.REQUESTS: limits.requests_per_minute,
        Dimension.INPUT_TOKENS: limits.input_tokens_per_minute,
        Dimension.OUTPUT_TOKENS: limits.output_tokens_per_minute,
    }
