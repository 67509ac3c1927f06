"""What happens to us costs no job: processes that die or stop, clocks that are wrong, a Redis that forgets."""

import pytest

from holdfast.lab.simulation.run import run_virtual
from lab.simulation.scenes import EVERYTHING, scenario


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("script", [[(0, [])], [(180, [(0.7, "e500"), (0.3, "hang")]), (360, [])]], ids=["well", "ill"])
def test_whatever_happens_to_us_every_promise_holds(script, seed):
    report = run_virtual(scenario(script, seconds=600, upsets=EVERYTHING), seed)
    assert report.violations == {}
    assert report.figures.succeeded == report.figures.accepted
    assert (report.figures.lost, report.figures.dead, report.figures.equation_holds) == (0, 0, True)


def test_a_killed_process_costs_at_most_its_calls_again():
    killed = scenario([(0, [])], seconds=300, upsets=[{"at": 100, "what": "kill"}])
    found = run_virtual(killed, 1).figures
    again = round(found.calls_per_done * found.succeeded) - found.succeeded
    assert 0 < again < 32  # half of the pool's slots, most of them free
    assert found.failed_calls == 0


def test_jobs_of_a_dead_process_wait_for_the_end_of_its_lease_and_no_longer():
    killed = scenario([(0, [])], seconds=300, takes=2.0, upsets=[{"at": 100, "what": "kill"}])
    taken_over = [sample for sample in run_virtual(killed, 1).course.samples if sample.at > 120]
    assert all(sample.waiting == 0 for sample in taken_over)


def test_a_redis_that_forgot_trips_no_breaker():
    lost = scenario([(0, [])], seconds=300, upsets=[{"at": 100, "what": "lose_redis"}])
    found = run_virtual(lost, 1).figures
    assert found.breaker_trips == 0
    assert found.probes >= 1
    assert found.limit_breaches == 0
