"""Second calls in virtual time: what ``hedge`` buys, what it costs, and that no promise is broken for it."""

from dataclasses import replace

import pytest

from holdfast.lab.drill.drill_plan import plan_of
from holdfast.lab.simulation.run import run_virtual
from holdfast.model.route import Hedge, Price
from holdfast.policy.hedging import SAVED
from lab.simulation.scenes import EVERYTHING, scenario

pytestmark = pytest.mark.system

LAME = [(0, [(0.04, "slow", 18.0)])]  # some calls take long, none so long that a breaker would hear of it
SICK = [(0, [(0.05, "hang"), (0.05, "e500", 12.0), (0.2, "slow", 30.0)])]


def hedged(scene, after=6.0, at_most=0.1):
    fleet = plan_of(scene)
    return replace(fleet, plan=replace(fleet.plan, hedge=Hedge(after, at_most)))


def test_a_second_call_is_faster_than_one_that_takes_long():
    lame = scenario(LAME, seconds=900)
    alone, with_hedges = run_virtual(lame, 1), run_virtual(lame, 1, fleet=hedged(lame))
    assert alone.figures.p99_s > 18.0
    assert with_hedges.figures.p99_s < 6.0 + 5.0
    assert with_hedges.routes["second/model"] == with_hedges.figures.abandoned_calls > 0  # each of them outran another
    assert alone.figures.abandoned_calls == 0
    assert with_hedges.figures.equation_holds


def test_no_more_than_the_share_is_hedged():
    """What a quiet time saved up is spent once by each process."""
    lame = scenario([(0, [(0.5, "slow", 18.0)])], seconds=900)
    found = run_virtual(lame, 1, fleet=hedged(lame, at_most=0.02)).figures
    seconds = found.calls_per_done * found.succeeded - found.succeeded
    assert 0.01 * found.accepted < seconds <= 0.02 * found.accepted + lame.load.workers * SAVED


@pytest.mark.parametrize("seed", range(1, 4))
def test_what_fails_beside_a_second_call_breaks_no_promise(seed):
    sick = scenario(SICK, seconds=600, second=[(0, [(0.1, "e500", 3.0), (0.1, "hang")])], upsets=EVERYTHING)
    report = run_virtual(sick, seed, fleet=hedged(sick, at_most=1.0))
    assert report.violations == {}
    assert report.figures.succeeded == report.figures.accepted
    assert report.figures.equation_holds
    assert report == run_virtual(sick, seed, fleet=hedged(sick, at_most=1.0))


@pytest.mark.parametrize("after", [6.0, 12.0, 30.0])
def test_hedges_hide_no_outage_from_a_breaker(after):
    """Nearly half of the calls stall for an hour: the route stays shut, and second calls do not keep it open."""
    stalls = scenario([(300, [(0.45, "slow", 33.0)]), (3_900, [])], seconds=4_500)
    alone, helped = run_virtual(stalls, 1).figures, run_virtual(stalls, 1, fleet=hedged(stalls, after, 0.05)).figures
    assert helped.p99_s < alone.p99_s + 1.0
    assert helped.abandoned_calls < 2 * alone.abandoned_calls


def test_a_plan_of_one_route_has_nowhere_to_hedge_to():
    lame = scenario(LAME, seconds=300, single=True)
    found = run_virtual(lame, 1, fleet=hedged(lame)).figures
    assert found == run_virtual(lame, 1).figures


def test_what_was_outrun_may_have_been_billed_and_is_told():
    lame = scenario(LAME, seconds=600)
    fleet = hedged(lame)
    priced = [replace(route, price=Price(input=1.0, output=5.0)) for route in fleet.plan.routes]
    costs = run_virtual(lame, 1, fleet=replace(fleet, plan=replace(fleet.plan, routes=tuple(priced)))).costs
    assert costs["extra_usd"] == 0.0
    assert costs["unknown_usd"] > 0.0
