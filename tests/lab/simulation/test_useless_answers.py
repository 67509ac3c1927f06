"""A route whose every answer is useless, and may have been billed: what one job pays for it until it is well again."""

import pytest

from holdfast.lab.drill.drill_plan import plan_of
from holdfast.lab.simulation.policy_hooks import REAL
from holdfast.lab.simulation.simulation import build
from holdfast.model.job import State
from lab.simulation.scenes import scenario


def ended(jobs, outage, seed):
    """How ``jobs``, submitted at once into ``outage`` seconds of useless answers, ended: their rows."""
    script = [(0, [(1.0, "bad", 0.2)]), (outage, [])]
    played = scenario(script, seconds=50_000, single=True, takes=0.2, limit_per_second=200)
    simulation = build(played, seed, plan_of(played), REAL)
    simulation.gate.waiting.extend(simulation.ledger.submit(0.0, None) for _ in range(jobs))
    simulation.pool.pump()
    simulation.loop.run(played.seconds)
    return [job.progress for job in simulation.ledger.jobs]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("jobs", [5, 20, 100])
def test_no_job_pays_more_than_twice_in_two_minutes_and_none_dies(jobs, seed):
    rows = ended(jobs, 120.0, seed)
    assert {row.state for row in rows} == {State.SUCCEEDED}
    assert max(row.calls for row in rows) <= 2 + 1  # and the good one


def test_in_an_hour_all_pay_alike():
    rows = ended(100, 3_600.0, 1)
    assert {row.state for row in rows} == {State.SUCCEEDED}
    assert max(row.calls for row in rows) <= 3 + 1
