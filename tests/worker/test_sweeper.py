"""What crashes leave behind is mended: by the living, and not before they had time to renew."""

import asyncio
from functools import partial

from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import State
from holdfast.model.start_time import StartTime
from holdfast.store.backlog import lane_heads
from holdfast.worker import sweeper as sweeper_module
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.sweeper import RENEWED, Sweeper
from holdfast.worker.window_refiller import WindowRefiller
from lanes_twin import LANE
from worker.workshop import Workshop, until


def sweeper(workshop: Workshop) -> Sweeper:
    return Sweeper(workshop.context, workshop.jobs, workshop.overrides)


async def refilled(workshop: Workshop) -> None:
    """Fill the lane's window from SQL, as a fetch that found it low does."""
    refiller = WindowRefiller(workshop.context)
    refiller.soon(LANE)
    await until(lambda: not refiller._running)


async def test_a_scheduled_job_comes_into_its_window_when_its_time_has_come_and_not_before(workshop: Workshop):
    scene, made = workshop.scene, sweeper(workshop)
    [later], [other] = scene.submit(not_before=StartTime(600.0, is_date=False)), scene.submit()
    await made.follow_sql()
    await made.release_due()
    await refilled(workshop)
    assert workshop.waiting() == [other]
    scene.pass_time(601)
    await made.release_due()
    await refilled(workshop)
    assert sorted(workshop.waiting()) == sorted([later, other])


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


async def test_a_message_in_nobodys_hands_is_forgotten_and_its_job_offered_again(workshop: Workshop):
    [job] = await workshop.offer()
    workshop.connection.sync().delete(workshop.connection.keys.lane(LANE))  # its entry is lost, its message is not
    heads = workshop.context.store.read(lane_heads, LANE, 10)
    await workshop.context.gate.offer(heads)
    assert workshop.waiting() == []
    await sweeper(workshop).mend_lanes()
    await workshop.context.gate.offer(heads)
    assert workshop.waiting() == [job]


async def test_what_a_dead_worker_held_in_redis_is_freed(workshop: Workshop):
    job, _ = await workshop.start()
    dead = workshop.context.worker
    workshop.scene.sql("update worker set stopped_at = 1 where id = :id", id=dead)
    await workshop.context.lease.sign_on()
    workshop.context.dependencies = DependencyHealth(lambda: 1e6)
    workshop.context.dependencies._sql_since = 0.0
    await sweeper(workshop).take_over()
    assert workshop.scene.state(job.id) is State.QUEUED
    assert workshop.in_flight() == 0


async def test_a_claim_that_nothing_here_knows_of_is_given_up_at_the_second_look(workshop: Workshop):
    job, _ = await workshop.start()
    made = sweeper(workshop)
    await made.find_lost_claims()
    await made.break_off()
    assert workshop.scene.state(job.id) is State.RUNNING
    await made.find_lost_claims()
    await made.break_off()
    assert (workshop.scene.state(job.id), workshop.scene.job(job.id).calls) == (State.QUEUED, 1)


async def test_what_is_running_here_is_no_lost_claim(workshop: Workshop):
    job, _ = await workshop.start()
    workshop.jobs.running[job.id] = None
    made = sweeper(workshop)
    await made.find_lost_claims()
    await made.find_lost_claims()
    assert workshop.jobs.broken == {}


async def test_a_duty_that_breaks_comes_again_and_stops_no_other(workshop: Workshop, monkeypatch):
    turns: list[str] = []

    async def broken(_: Sweeper) -> None:
        turns.append("broken")
        raise ValueError

    async def whole(_: Sweeper) -> None:
        turns.append("whole")

    monkeypatch.setattr(sweeper_module, "FASTER", 1e9)
    made = sweeper(workshop)
    both = [asyncio.create_task(made._repeat(0.0, partial(each, made), each.__name__)) for each in (broken, whole)]
    await until(lambda: turns.count("broken") > 1 and turns.count("whole") > 1)
    for each in both:
        each.cancel()


async def test_the_head_of_a_backlog_is_offered_again_only_where_it_does_not_fit_its_window(workshop: Workshop):
    [job] = workshop.scene.submit()
    await sweeper(workshop).offer_pressing()
    assert workshop.waiting() == []
    workshop.context.settings.worker.__dict__["window"] = 0  # it is frozen
    await sweeper(workshop).offer_pressing()
    assert workshop.waiting() == [job]
