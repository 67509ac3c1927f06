"""What the gate gave is claimed and run, or goes back; nothing is asked for while there is no place for results."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.model.job import Priority, State, lane_name
from holdfast.store.cancel import cancel_job
from holdfast.worker import fetcher as module
from holdfast.worker.fetcher import Fetcher
from holdfast.worker.lane_schedule import ScheduledLane
from holdfast.worker.redis_start import RedisStart
from holdfast.worker.window_refiller import WindowRefiller
from lanes_twin import LANE
from worker.workshop import PLAN, Workshop


def fetcher(workshop: Workshop) -> Fetcher:
    context = workshop.context
    return Fetcher(context, workshop.jobs, WindowRefiller(context), RedisStart(context, workshop.overrides))


async def ask(workshop: Workshop) -> Fetcher:
    """One round of the fetcher, and all that came of it."""
    made = fetcher(workshop)
    await made._ask(workshop.lane)
    await asyncio.gather(*made.claiming)
    await asyncio.gather(*workshop.jobs.running.values())
    return made


async def test_a_job_that_was_fetched_is_claimed_and_run(workshop: Workshop):
    [job] = await workshop.offer()
    await ask(workshop)
    assert workshop.scene.state(job) is State.SUCCEEDED
    assert (workshop.context.slots.taken, workshop.jobs.running) == (0, {})


async def test_a_claim_that_sql_may_have_taken_leaves_its_jobs_unsure_and_its_permits_back(workshop: Workshop):
    [job] = await workshop.offer()
    workshop.cut_off_sql()
    await ask(workshop)
    assert workshop.jobs.unsure == {job}
    assert not workshop.context.dependencies.may_call
    assert (workshop.context.slots.taken, workshop.in_flight()) == (0, 0)


async def test_a_permit_whose_job_the_claim_left_out_goes_back(workshop: Workshop):
    [job] = await workshop.offer()
    workshop.scene.store.write(cancel_job, job)
    await ask(workshop)
    assert workshop.jobs.unsure == set()
    assert (workshop.context.slots.taken, workshop.in_flight(), workshop.waiting()) == (0, 0, [])


async def test_nothing_is_fetched_while_results_cannot_be_written(workshop: Workshop):
    [job] = await workshop.offer()
    made = fetcher(workshop)
    assert made.may_fetch
    workshop.context.writer.holding = True
    assert not made.may_fetch
    assert workshop.waiting() == [job]


async def test_a_redis_that_knows_nobody_is_begun_and_not_asked(workshop: Workshop):
    workshop.connection.sync().flushall()
    await ask(workshop)
    assert workshop.connection.sync().get(workshop.connection.keys.epoch).startswith("fresh:")


async def test_a_hint_that_comes_during_a_look_is_followed_by_another_look(workshop: Workshop, monkeypatch):
    look = workshop.context.gate.fetch

    async def look_and_hear(*given):
        found = await look(*given)
        workshop.lane.wake()
        return found

    monkeypatch.setattr(workshop.context.gate, "fetch", look_and_hear)
    await fetcher(workshop)._ask(workshop.lane)
    assert workshop.lane.ask_at == 0.0


async def test_rounds_are_held_apart_while_jobs_wait_and_an_empty_lane_is_looked_into_at_once(workshop: Workshop):
    made = await ask(workshop)
    assert made.round_at == 0.0
    await workshop.offer()
    workshop.context.gate.lanes.set_paused(workshop.lane.name, True)
    await made._ask(workshop.lane)
    assert made.round_at > 0.0


async def test_what_a_batch_got_is_run_beside_jobs_that_somebody_waits_for(workshop: Workshop, monkeypatch):
    monkeypatch.setattr(module, "STARTS_AT_ONCE", 1)
    jobs = await workshop.offer(3)
    workshop.jobs.awaited = 1
    await ask(workshop)
    ended = [workshop.scene.state(job) for job in jobs].count(State.SUCCEEDED)
    assert ended > 1
    assert ended + len(workshop.waiting()) == len(jobs)
    assert workshop.jobs.awaited == 1


@pytest.mark.parametrize(("is_paced", "started"), [(True, 1), (False, 2)])
async def test_where_a_rate_holds_calls_up_the_first_has_left_before_the_next_starts(
    workshop: Workshop, monkeypatch, is_paced, started
):
    monkeypatch.setattr(module, "STARTS_AT_ONCE", 1)
    await workshop.offer(2)
    permits, _ = await workshop.context.gate.fetch(LANE, 2, workshop.context.worker, PLAN)
    workshop.context.slots.take(len(permits))
    running = list[int]()
    workshop.calls.meanwhile = lambda _: running.append(len(workshop.jobs.running))
    await fetcher(workshop)._claim(permits, workshop.lane, is_paced=is_paced)
    await asyncio.gather(*workshop.jobs.running.values())
    assert running[0] == started


async def test_claims_of_a_batch_leave_the_loop_to_others_one_after_the_other(workshop: Workshop):
    made = fetcher(workshop)
    workshop.jobs.awaited = 1
    async with made.resting:
        another = asyncio.create_task(made._let_others_go_on())
        await asyncio.wait({another}, timeout=0)
        assert not another.done()
    await another


async def test_those_that_somebody_waits_for_are_counted_while_they_run(workshop: Workshop):
    job, permit = await workshop.start()
    awaited = replace(job, lane=lane_name(job.model, Priority.INTERACTIVE))
    workshop.jobs.start(awaited, permit, workshop.lane.plan)
    assert workshop.jobs.awaited == 1
    await asyncio.gather(*workshop.jobs.running.values())
    await asyncio.sleep(0)
    assert workshop.jobs.awaited == 0


async def test_a_hint_says_whether_somebody_waits_for_the_jobs_of_its_lane(workshop: Workshop):
    lanes, others = workshop.context.lanes, workshop.lane
    awaited = lane_name(others.plan.model, Priority.INTERACTIVE)
    lanes.entries[awaited] = ScheduledLane(awaited, others.plan)
    assert lanes.wake_hinted({awaited, others.name})
    assert not lanes.wake_hinted({others.name})
