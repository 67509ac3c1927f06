"""What crashes leave behind is mended: by the living, and not before they had time to renew."""

from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import State
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.sweeper import RENEWED, Sweeper
from worker.workshop import Workshop


def sweeper(workshop: Workshop) -> Sweeper:
    return Sweeper(workshop.context, workshop.jobs, workshop.overrides)


async def test_a_dead_workers_jobs_are_taken_over_only_when_sql_was_steady(workshop: Workshop):
    job = workshop.scene.start().id  # by a worker that never renews
    workshop.scene.pass_time(60)
    await workshop.context.lease.sign_on()  # ours is fresh
    now = [0.0]
    workshop.context.dependencies = health = DependencyHealth(lambda: now[0])
    health.sql_failed(StorageUnavailable("sqlite", "it is away"))
    now[0] += 10.0
    health.sql_answered()
    await sweeper(workshop).take_over()
    assert workshop.scene.state(job) is State.RUNNING
    now[0] += workshop.context.lease.seconds / 3 + RENEWED
    await sweeper(workshop).take_over()
    assert workshop.scene.state(job) is State.QUEUED


async def test_jobs_whose_claim_was_unsure_are_queued_again_but_for_those_that_run_here(workshop: Workshop):
    [lost, runs] = [await workshop.start(), await workshop.start()]
    workshop.jobs.unsure |= {lost[0].id, runs[0].id}
    workshop.jobs.running[runs[0].id] = None
    await sweeper(workshop).hand_back_unsure()
    assert workshop.jobs.unsure == {runs[0].id}
    assert (workshop.scene.state(lost[0].id), workshop.scene.state(runs[0].id)) == (State.QUEUED, State.RUNNING)


async def test_what_redis_counts_as_ours_and_nobody_runs_is_dropped_at_the_second_look(workshop: Workshop):
    await workshop.start()
    made = sweeper(workshop)
    await made.drop_strays()
    assert workshop.in_flight() == 1
    await made.drop_strays()
    assert workshop.in_flight() == 0
