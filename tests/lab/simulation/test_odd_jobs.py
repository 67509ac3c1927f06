"""Jobs that fail where others succeed: they end, with few calls, and nobody else notices them."""

import pytest

from holdfast.lab.simulation.run import run_virtual
from lab.simulation.scenes import scenario

SECONDS, RATE = 50, 20  # a thousand jobs
REFUSALS = ["e400", "e402", "e403", "e404", "e413", "e422", "e429", "e500", "e503", "e529", "bad", "reset"]
LOAD = {"jobs_per_second": RATE, "takes": [0.2, 1.0], "limit_per_second": 200}


def run(*odd, single=True, second=(), script=((0, []),), seconds=SECONDS, seed=1):
    return run_virtual(scenario(script, seconds=seconds, single=single, second=second, odd=list(odd), **LOAD), seed)


@pytest.mark.parametrize("mode", REFUSALS)
def test_one_poison_job_ends_and_costs_the_others_nothing(mode):
    without, found = run(), run({"first": 300, "mode": mode})
    assert (found.figures.dead, found.figures.succeeded) == (1, without.figures.succeeded - 1)
    assert found.figures.failed_calls <= 8
    assert found.figures.breaker_trips == 0
    assert found.course.seconds <= 1.1 * without.course.seconds
    assert found.violations == {}


@pytest.mark.parametrize("mode", ["e404", "e500"])
def test_many_poison_jobs_end_as_well(mode):
    found = run({"first": 10, "every": 50, "mode": mode})
    assert found.figures.dead == (found.figures.accepted - 11) // 50 + 1
    assert found.figures.lost == 0
    assert "I1: a job never ended" not in found.violations


@pytest.mark.parametrize("mode", ["e400", "e404", "e500"])
def test_what_one_route_does_to_some_jobs_the_other_route_mends(mode):
    found = run({"first": 3, "every": 40, "mode": mode, "where": "first"}, single=False)
    assert found.figures.dead == 0
    assert found.figures.lost == 0
    assert found.violations == {}


def test_a_real_outage_ends_no_job_not_even_beside_poison():
    outage = [(0, []), (10, [(1.0, "e500", 0.2)]), (60, [])]
    found = run({"first": 5, "mode": "e500"}, script=outage, seconds=120)
    assert found.figures.dead <= 1
    assert found.figures.lost == 0


@pytest.mark.parametrize("mode", ["e400", "e422"])
def test_jobs_that_are_all_wrong_end_with_few_calls_though_nobody_succeeds(mode):
    found = run({"first": 0, "every": 1, "mode": mode})
    assert (found.figures.dead, found.figures.lost) == (found.figures.accepted, 0)
    assert found.figures.failed_calls <= 2 * found.figures.accepted + 50
    assert found.course.seconds <= 600
    assert found.violations.keys() <= {"a breaker opened though its provider was well"}  # nobody can tell


def test_an_hour_in_which_everybody_is_called_wrong_buries_nobody():
    hour = scenario([(0, []), (30, [(1.0, "e400", 0.2)]), (3_630, [])], seconds=3_700, single=True, jobs_per_second=0.5)
    found = run_virtual(hour, 1)
    assert (found.figures.dead, found.figures.lost) == (0, 0)
    assert found.figures.failed_calls <= 80
    assert found.violations == {}


@pytest.mark.parametrize("mode", ["e402", "e403", "e404"])
def test_a_refusal_of_everybody_shuts_the_route_quickly_and_ends_nobody(mode):
    found = run(script=[(0, []), (10, [(1.0, mode, 0.2)]), (40, [])], seconds=80)
    assert found.figures.dead == 0
    assert found.figures.breaker_trips >= 1
    assert found.figures.failed_calls <= 60
    assert found.violations == {}
