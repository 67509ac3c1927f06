"""What a drill is run with: a plan, slots for calls, and the rules of its breakers. A scenario's own, or yours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.config import Settings, Worker
from holdfast.lab.drill.scenario import SLOW_AFTER, Scenario
from holdfast.model.route import Api, Limits, Plan, Route
from holdfast.policy.breaker_rules import Rules, rules_for
from holdfast.policy.signals import ScopeKind


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """``slots``: calls in flight over all ``workers``. ``overrides``: what an operator set for a provider's routes.

    ``plans``: all of the configuration, for breakers go by them. ``window``: ids that a lane keeps in Redis.
    ``standard``: these are the conditions under which the scenario's bars were set.
    """

    plan: Plan
    slots: int
    workers: int
    plans: tuple[Plan, ...]
    overrides: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    window: int = Worker().window
    standard: bool = True

    @property
    def providers(self) -> list[str]:
        """Names of the plan's providers, in its order."""
        return list(dict.fromkeys(route.provider for route in self.plan.routes))

    @property
    def concurrency(self) -> int:
        """Calls in flight of one worker."""
        return max(1, self.slots // self.workers)

    def limit(self, scenario: Scenario) -> float | None:
        """Requests a second that the first provider lets in: what the configuration says, else the scenario."""
        told = self.plan.routes[0].limits.requests_per_minute
        return scenario.load.limit_per_second if told is None else told / 60

    def view(self) -> dict[str, Any]:
        """What was drilled, for the JSON answer."""
        plan = [route.name for route in self.plan.routes]
        return {"model": self.plan.model, "plan": plan, "slots": self.slots, "processes": self.workers}

    def rules(self, scope: str) -> Rules:
        """The rules of a breaker by its scope's name, as the worker's gate takes them."""
        built_in = rules_for(scope, self.plans)
        kind, _, name = scope.partition(":")
        set_ = self.overrides.get(name.partition("/")[0], {})
        return built_in.overridden(set_) if kind == ScopeKind.ROUTE and set_ else built_in


def plan_of(scenario: Scenario) -> DrillPlan:
    """Two routes (or one), with the limit of the first known or not."""
    load = scenario.load
    per_minute = load.limit_per_second * 60 if load.limit_per_second and load.limit_known else None
    tokens = load.tokens_per_second * 60 if load.tokens_per_second else None
    routes = [_route("first", Limits(per_minute, tokens)), _route("second", Limits())]
    plan = Plan("smart", tuple(routes[: 1 if scenario.single_route else 2]))
    return DrillPlan(plan, load.slots, min(load.workers, load.slots), (plan,))


def plan_from(settings: Settings, model: str | None = None) -> DrillPlan:
    """The pool that a configuration describes, for ``model`` (default: its first alias). Raises InvalidRequest."""
    plan = settings.plan(model or next(iter(settings.models), "the first alias"))
    overrides = {name: each.breaker.overrides() for name, each in settings.providers.items()}
    worker, plans = settings.worker, tuple(settings.models.values())
    slots = worker.concurrency * worker.processes
    return DrillPlan(plan, slots, worker.processes, plans, overrides, worker.window, standard=False)


def _route(provider: str, limits: Limits) -> Route:
    return Route(provider, "model", Api.ANTHROPIC, "model", ("main",), limits, slow_after=SLOW_AFTER)
