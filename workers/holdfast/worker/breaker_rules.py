"""By which rules the gate's breakers go, as the configuration has it."""

from collections.abc import Callable
from functools import cache

from holdfast.config import Settings
from holdfast.model.route import Plan
from holdfast.policy.breaker_rules import Rules, rules_for


def rules_of(settings: Settings) -> Callable[[str], Rules]:
    """The rules of each breaker by its scope's name, with what the operator changed for a provider's routes."""
    plans = [*settings.models.values(), *_direct_plans(settings)]

    def rules(scope: str) -> Rules:
        built_in = rules_for(scope, plans)
        kind, _, name = scope.partition(":")
        provider = settings.providers.get(name.partition("/")[0])
        return built_in.overridden(provider.breaker.overrides()) if provider and kind == "route" else built_in

    return cache(rules)


def _direct_plans(settings: Settings) -> list[Plan]:
    """How jobs come to a provider that no alias names: by any model of it, with each of its credentials."""
    named = {route.provider for plan in settings.models.values() for route in plan.routes}
    others = [provider for provider in settings.providers.values() if provider.name not in named]
    return [Plan(provider.name, (provider.route(""),)) for provider in others]
