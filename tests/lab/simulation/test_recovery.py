"""One route and no other: how soon what waits is worked off, once the provider is well again."""

import pytest

from holdfast.lab.drill.drill_plan import plan_of
from holdfast.lab.simulation.policy_hooks import REAL
from holdfast.lab.simulation.simulation import build
from holdfast.model.job import State
from lab.simulation.scenes import scenario

SLOTS = 100
QUICK = 0.01  # seconds that a refused call takes


def seconds_over_ideal(jobs: int, outage: float, takes: float, seed: int) -> float:
    """Seconds that ``jobs``, submitted at once into an outage, end later than its length and their own work."""
    played = scenario(
        [(0, [(1.0, "e503", QUICK)]), (outage, [])],
        seconds=10_000,
        single=True,
        slots=SLOTS,
        workers=1,
        takes=takes,
        limit_per_second=None,
        limit_known=False,
    )
    simulation = build(played, seed, plan_of(played), REAL)
    simulation.gate.waiting.extend(simulation.ledger.submit(0.0, None) for _ in range(jobs))
    simulation.pool.pump()
    simulation.loop.run(played.seconds)
    assert simulation.ledger.counts()[State.SUCCEEDED] == jobs
    last = max(job.progress.finished_at or 0.0 for job in simulation.ledger.jobs)
    return last - outage - takes * max(1.0, jobs / SLOTS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("jobs", "takes", "over"), [(5, 0.2, 2.0), (20, 0.2, 2.5), (1_000, 0.2, 3.0), (1_000, 1.0, 6.0)]
)
def test_after_twenty_seconds_a_route_is_back_at_full_rate_within_a_few_more(
    jobs: int, takes: float, over: float, seed: int
) -> None:
    assert seconds_over_ideal(jobs, 20.0, takes, seed) <= over


@pytest.mark.parametrize("outage", [20.0, 60.0, 600.0])
def test_a_job_that_is_alone_in_an_outage_is_a_quarter_of_it_late_at_most(outage: float) -> None:
    over = [seconds_over_ideal(1, outage, 0.2, seed) for seed in range(10)]
    assert max(over) <= max(10.0, 0.25 * 1.25 * outage) + 0.5
    assert sum(over) / len(over) <= max(6.0, 0.12 * 1.25 * outage)
