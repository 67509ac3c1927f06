"""With a configuration the drill says what that one would do: its plan, limits, keys, breakers, slots and prices."""

from pathlib import Path

import pytest

from holdfast.config import load
from holdfast.lab.drill.drill_plan import plan_from
from holdfast.lab.simulation.run import run_virtual
from holdfast.model.errors import InvalidRequest
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, RULES
from holdfast.policy.signals import ScopeKind
from lab.simulation.scenes import scenario

CONFIG = """
[worker]
concurrency = 100
processes = 3

[providers.here]
api = "anthropic"
credentials = [{ name = "main", secret = "env:A" }, { name = "spare", secret = "env:B" }]
limits = { requests_per_minute = 600 }
breaker = { consecutive = 3 }

[providers.there]
api = "openai-chat"

[models.smart]
routes = [
  { provider = "here", model = "m", price = { input = 1.0, output = 5.0 } },
  { provider = "there", model = "n", price = { input = 2.0, output = 10.0 } },
]

[models.lonely]
routes = [{ provider = "there", model = "o" }]
"""
DOWN = [(60, [(1.0, "e500", 0.1)]), (360, [])]


@pytest.fixture
def settings(tmp_path: Path):
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    return load(tmp_path / "holdfast.toml", {})


def test_the_fleet_is_the_configurations(settings):
    fleet = plan_from(settings)
    assert [route.name for route in fleet.plan.routes] == ["here/m", "there/n"]
    assert (fleet.slots, fleet.workers) == (300, 3)
    assert fleet.rules("route:here/m") == RULES[ScopeKind.ROUTE].overridden({"consecutive": 3})
    assert fleet.rules("route:there/o") == NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert fleet.rules("endpoint:there") == NO_ALTERNATIVE[ScopeKind.ENDPOINT]  # because of the lonely plan


def test_another_alias_or_a_route_itself_may_be_drilled(settings):
    assert [route.name for route in plan_from(settings, "lonely").plan.routes] == ["there/o"]
    assert [route.name for route in plan_from(settings, "here/x").plan.routes] == ["here/x"]
    with pytest.raises(InvalidRequest, match=r"no model 'smrt'.*smart"):
        plan_from(settings, "smrt")


def test_a_detour_costs_the_difference_in_price(settings):
    """800 tokens in and 400 out: 2,800 micro-dollars on the first route, twice as much on the second."""
    report = run_virtual(scenario(DOWN, seconds=600), 1, fleet=plan_from(settings))
    detoured = report.routes["there/n"]
    assert 0.9 * 5 * 300 <= detoured <= 5 * 400  # until the first probe after the healing, and the ramp
    assert report.routes["here/m"] + detoured == report.figures.succeeded
    assert report.costs["extra_usd"] == pytest.approx(detoured * 0.0028, abs=1e-4)
    assert report.costs["cost_usd"] == pytest.approx((report.routes["here/m"] + 2 * detoured) * 0.0028, abs=1e-4)
    assert report.costs["deadline_misses"] == 0


def test_three_faults_in_a_row_are_enough_where_the_operator_said_so(settings):
    quiet = scenario(DOWN, seconds=600, jobs_per_second=0.5, takes=0.2)
    yours, ours = run_virtual(quiet, 1, fleet=plan_from(settings)).figures, run_virtual(quiet, 1).figures
    assert yours.failed_calls - (yours.probes - 1) == 3
    assert ours.failed_calls - (ours.probes - 1) == 5


def test_without_a_second_route_jobs_wait_and_some_come_too_late(settings):
    late = scenario(DOWN, seconds=600, expires_in=100)
    report = run_virtual(late, 1, fleet=plan_from(settings, "lonely"))
    assert report.costs["deadline_misses"] == pytest.approx(5 * 200, rel=0.15)
    assert report.costs["peak_backlog"] == pytest.approx(5 * 100, rel=0.15)
    assert "cost_usd" not in report.costs  # no price is configured
    assert (report.figures.lost, report.violations) == (0, {})


def test_each_key_has_a_limit_of_its_own(settings):
    """Two keys with ten requests a second each carry fifteen jobs a second."""
    busy = scenario([(0, [])], seconds=300, jobs_per_second=15)
    report = run_virtual(busy, 1, fleet=plan_from(settings))
    assert report.routes["here/m"] > 0.95 * report.figures.succeeded
    assert report.figures.limit_breaches == 0


def test_bars_of_other_conditions_are_not_held_against_yours(settings):
    strict = scenario(DOWN, seconds=600, bars={"lost": 0, "failed_calls_max": 0, "p99_s_max": 0})
    assert [bar.name for bar in run_virtual(strict, 1, fleet=plan_from(settings)).bars] == ["lost"]
    assert not run_virtual(strict, 1).holds
