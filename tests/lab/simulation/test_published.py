"""The real outages that come with Holdfast: every bar holds, and a simple policy's figures are beaten."""

from functools import cache

import pytest

from holdfast.lab.drill.catalogue import find, names
from holdfast.lab.drill.result import SeedReport
from holdfast.lab.simulation.run import run_virtual
from lab.simulation.scenes import scenario

pytestmark = pytest.mark.system

SEED = 3


@cache
def played(name: str) -> SeedReport:
    return run_virtual(find(name), SEED)


@pytest.mark.parametrize("name", names())
def test_every_bar_and_every_promise_holds(name: str):
    report = played(name)
    assert [bar for bar in report.bars if not bar.holds] == []
    assert report.bars
    assert report.violations == {}
    assert report.figures.equation_holds


@pytest.mark.parametrize("name", names())
def test_no_call_more_fails_than_under_the_reference_policy(name: str):
    assert played(name).figures.failed_calls <= find(name).reference["failed_calls"][1]


def test_the_drill_comes_with_the_six_published_outages():
    assert len(names()) == 6
    assert all(find(name).about and find(name).bars and find(name).reference for name in names())


@pytest.mark.parametrize("minutes", [20, 30, 60])
def test_an_only_route_that_was_away_drains_within_a_quarter_of_the_least_possible_time(minutes: int):
    ends = 600 + 60 * minutes
    away = scenario([(600, [(1.0, "e500")]), (ends, [])], seconds=2 * ends, single=True)
    assert run_virtual(away, SEED).figures.drain_ratio <= 1.25
