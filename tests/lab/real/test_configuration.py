"""A drill runs a pool's own plan, with simulated providers in the place of its own, and its own conditions else."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.config import Settings, load
from holdfast.lab.drill.catalogue import find
from holdfast.lab.drill.drill_plan import DrillPlan, plan_from, plan_of
from holdfast.lab.real.configuration import configuration, script_of, sims_of
from holdfast.model.route import Hedge, Limits

YOURS = """
[worker]
concurrency = 30
processes = 3
[providers.claude]
api = "anthropic"
deadline = "90s"
credentials = [{ name = "main", secret = "env:A" }, { name = "spare", secret = "env:B" }]
limits = { requests_per_minute = 600 }
breaker = { base = "3s" }
[providers.gpt]
api = "openai-responses"
credentials = [{ name = "main", secret = "env:C" }]
[models.smart]
routes = [
  { provider = "claude", model = "big", price = { input = 5.0, output = 25.0 }, slow_after = "15s" },
  { provider = "gpt", model = "large" },
]
hedge = { after = "8s", at_most = 0.1 }
[models.only]
routes = [{ provider = "gpt", model = "small" }]
"""


def written(tmp_path: Path, plan: DrillPlan) -> Settings:
    """The drill's own configuration, read back."""
    urls = [f"http://127.0.0.1:{port}" for port, _ in enumerate(plan.providers, start=1)]
    (tmp_path / "drill.toml").write_text(configuration(plan, urls, tmp_path, speed=60.0))
    return load(tmp_path / "drill.toml", {})


@pytest.fixture
def yours(tmp_path: Path) -> Settings:
    (tmp_path / "holdfast.toml").write_text(YOURS)
    return load(tmp_path / "holdfast.toml", {})


def test_a_scenario_s_own_conditions_are_two_routes_or_one_with_the_limit_of_the_first(tmp_path: Path):
    two = written(tmp_path, plan_of(find("stall_2024_12_04")))
    assert [route.name for route in two.models["smart"].routes] == ["first/model", "second/model"]
    assert two.models["smart"].routes[0].limits == Limits(requests_per_minute=1_200)
    assert (two.worker.concurrency, two.providers["second"].slow_after) == (32, 20.0)
    alone = plan_of(find("only_route"))
    assert (len(alone.plan.routes), alone.limit(find("only_route"))) == (1, 20.0)


def test_a_lease_is_as_long_for_the_machine_however_fast_time_runs(tmp_path: Path):
    assert written(tmp_path, plan_of(find("only_route"))).worker.lease == 900.0


def elsewhere(routes):
    """The same routes at addresses that are not their makers' own."""
    return tuple(replace(route, official=None) for route in routes)


def test_your_plan_keeps_all_that_decides_how_it_behaves(tmp_path: Path, yours: Settings):
    plan = plan_from(yours)
    read = written(tmp_path, plan)
    assert read.models["smart"].routes == elsewhere(yours.models["smart"].routes)
    assert read.models["smart"].hedge == Hedge(8.0, 0.1)
    assert read.models["only"].routes == elsewhere(yours.models["only"].routes)  # it decides by which rules breakers go
    assert read.providers["claude"].breaker == yours.providers["claude"].breaker
    assert read.providers["gpt"].base_url == "http://127.0.0.1:2/v1"
    assert plan.slots == 90


def test_your_providers_keys_and_addresses_are_not_in_it(tmp_path: Path, yours: Settings):
    read = written(tmp_path, plan_from(yours))
    assert {provider.base_url.split(":")[1] for provider in read.providers.values()} == {"//127.0.0.1"}
    secrets = {key.secret for provider in read.providers.values() for key in provider.credentials}
    assert secrets == {"env:HOLDFAST_DRILL_KEY"}


def test_the_first_provider_lets_in_what_your_limits_say(yours: Settings):
    first, second = sims_of(find("total_2024_12_11"), plan_from(yours), seed=3)
    assert (first.rate, first.burst, second.rate) == (10.0, 10.0, None)
    assert first.seed != second.seed


def test_a_script_plays_every_phase_and_is_well_after_the_end():
    scenario = find("total_2024_12_11")
    script = script_of(scenario, 0)
    assert [phase.at for phase in script.phases] == [*(phase.at for phase in scenario.phases), scenario.seconds]
    hang = script.part(1_300.0, 0.99)
    assert hang is not None
    assert hang.mode == "hang"
    refused = script.part(9_300.0, 0.1)
    assert refused is not None
    assert (refused.mode, refused.takes) == ("e429-silent", (0.05, 0.2))
    assert script.part(scenario.seconds + 1, 0.0) is None
    assert all(not phase.parts for phase in script_of(scenario, 1).phases)
