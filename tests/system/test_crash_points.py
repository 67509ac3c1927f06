"""A worker that dies at any named step loses nothing; what it held is done by the next one."""

import pytest

STEPS = ["before_claim", "after_claim", "before_send", "after_body", "before_record", "after_record", "after_release"]


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_this_step_loses_nothing(build, step):
    fleet = build(concurrency=10)
    batch = fleet.submit(30)
    doomed = fleet.worker(HOLDFAST_CRASH_AT=f"{step}:3")
    assert doomed.wait(30) == -9
    fleet.worker()
    fleet.until_done(batch)
    counts = fleet.sims[0].counts()
    assert fleet.succeeded(batch) == 30
    assert counts["calls"] - 30 <= 10
    assert fleet.offenders() == {}


def test_a_job_that_kills_three_workers_is_buried_as_poison(build):
    fleet = build(concurrency=10)
    batch = fleet.submit(1)
    for _ in range(3):
        assert fleet.worker(HOLDFAST_CRASH_AT="before_send").wait(30) == -9
    fleet.worker()
    fleet.until_done(batch)
    [job] = fleet.jobs(batch)
    assert (job.state, job.fault, job.crashes) == ("dead", "poison", 3)
    assert fleet.sims[0].counts()["calls"] == 0
