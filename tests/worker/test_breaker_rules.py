"""The gate's breakers go by the configuration's plans, and by what the operator changed."""

from pathlib import Path

import pytest

from holdfast.config import Settings, load
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, RULES
from holdfast.policy.signals import ScopeKind
from holdfast.worker.breaker_rules import rules_of

CONFIG = """
[providers.first]
api = "anthropic"
base_url = "http://127.0.0.1:1"
credentials = [{ name = "main", secret = "env:A" }]
breaker = { base = "3s" }
[providers.second]
api = "openai-chat"
base_url = "http://127.0.0.1:2/v1"
[providers.unused]
api = "openai-chat"
base_url = "http://127.0.0.1:3/v1"
credentials = [{ name = "main", secret = "env:A" }, { name = "spare", secret = "env:B" }]
[models.two]
routes = [{ provider = "first", model = "m" }, { provider = "second", model = "m" }]
[models.one]
routes = [{ provider = "second", model = "n" }]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    return load(tmp_path / "holdfast.toml", {})


def test_a_route_with_an_alternative_keeps_the_operators_changes(settings: Settings):
    assert rules_of(settings)("route:first/m") == RULES[ScopeKind.ROUTE].overridden({"base": 3.0})


def test_a_plan_of_one_route_makes_it_and_its_endpoint_stand_alone(settings: Settings):
    rules = rules_of(settings)
    assert rules("route:second/n") == NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert rules("route:second/m") == RULES[ScopeKind.ROUTE]
    assert rules("endpoint:second") == NO_ALTERNATIVE[ScopeKind.ENDPOINT]
    assert rules("endpoint:first") == RULES[ScopeKind.ENDPOINT]


def test_a_provider_that_only_direct_names_reach_stands_alone_but_for_its_second_key(settings: Settings):
    rules = rules_of(settings)
    assert rules("route:unused/any") == NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert rules("endpoint:unused") == NO_ALTERNATIVE[ScopeKind.ENDPOINT]
    assert rules("credential:unused/main") == RULES[ScopeKind.CREDENTIAL]
