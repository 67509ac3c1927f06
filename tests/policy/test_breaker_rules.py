"""Which rules a breaker goes by follows from the plans that go through what it guards."""

from holdfast.model.route import Api, Plan, Route
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, RULES, rules_for
from holdfast.policy.signals import ScopeKind

ROUTE, CREDENTIAL, ENDPOINT = "route:a/m", "credential:a/main", "endpoint:a"


def plan(*routes: str, credentials: tuple[str, ...] = ("main",)) -> Plan:
    names = [name.split("/") for name in routes]
    return Plan("smart", tuple(Route(p, m, Api.ANTHROPIC, m, credentials) for p, m in names))


def test_a_plan_of_one_route_has_no_way_around_it_its_key_and_its_endpoint():
    only = [plan("a/m")]
    assert rules_for(ROUTE, only) is NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert rules_for(CREDENTIAL, only) is NO_ALTERNATIVE[ScopeKind.CREDENTIAL]
    assert rules_for(ENDPOINT, only) is NO_ALTERNATIVE[ScopeKind.ENDPOINT]


def test_a_second_provider_is_an_alternative_to_all_three():
    two = [plan("a/m", "b/m")]
    assert rules_for(ROUTE, two) is RULES[ScopeKind.ROUTE]
    assert rules_for(CREDENTIAL, two) is RULES[ScopeKind.CREDENTIAL]
    assert rules_for(ENDPOINT, two) is RULES[ScopeKind.ENDPOINT]


def test_another_model_of_the_same_provider_is_an_alternative_to_the_route_alone():
    siblings = [plan("a/m", "a/n")]
    assert rules_for(ROUTE, siblings) is RULES[ScopeKind.ROUTE]
    assert rules_for(CREDENTIAL, siblings) is NO_ALTERNATIVE[ScopeKind.CREDENTIAL]
    assert rules_for(ENDPOINT, siblings) is NO_ALTERNATIVE[ScopeKind.ENDPOINT]


def test_a_second_key_is_an_alternative_to_the_key_alone():
    keys = [plan("a/m", credentials=("main", "spare"))]
    assert rules_for(ROUTE, keys) is NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert rules_for(CREDENTIAL, keys) is RULES[ScopeKind.CREDENTIAL]
    assert rules_for(ENDPOINT, keys) is NO_ALTERNATIVE[ScopeKind.ENDPOINT]


def test_one_plan_without_an_alternative_decides_for_all_that_share_the_breaker():
    shared = [plan("a/m", "b/m"), plan("a/m")]
    assert rules_for(ROUTE, shared) is NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert rules_for("route:b/m", shared) is RULES[ScopeKind.ROUTE]


def test_what_no_plan_goes_through_is_named_directly_and_stands_alone():
    configured = [plan("a/m", "b/m")]
    assert rules_for("route:a/other", configured) is NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert rules_for("endpoint:c", configured) is NO_ALTERNATIVE[ScopeKind.ENDPOINT]


def test_a_direct_name_of_a_configured_route_changes_nothing_for_its_plan():
    """The breaker of a route that a plan knows goes by that plan, whoever else names the route."""
    assert rules_for(ROUTE, [plan("a/m", "b/m")]) is RULES[ScopeKind.ROUTE]
