"""Permits are given back after SQL knows how their calls ended, and wait for a Redis that is away."""

import asyncio
from math import inf

import pytest

from holdfast.lanes import Reason
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import State
from holdfast.store.cancel import cancel_job
from holdfast.worker import permit_releaser
from worker.workshop import PLAN, Workshop, until

BROKEN = CallResult(Fault(FaultKind.SERVER_ERROR))


async def test_a_permit_is_released_only_once_sql_knows_how_its_call_ended(workshop: Workshop):
    job, permit = await workshop.start()
    states: list[State] = []
    release = workshop.releaser.release
    workshop.releaser.release = lambda attempts: (states.append(workshop.scene.state(job.id)), release(attempts))
    await workshop.attempts.run(job, permit, PLAN)
    assert states == [State.SUCCEEDED]


async def test_permits_wait_for_a_redis_that_is_away_and_are_released_when_it_is_back(workshop: Workshop, monkeypatch):
    monkeypatch.setattr(permit_releaser, "RETRY_AFTER", 0.0)
    job, permit = await workshop.start()
    workshop.server.connected = False
    await workshop.attempts.run(job, permit, PLAN)
    running = asyncio.create_task(workshop.releaser.run())
    await until(lambda: not workshop.context.dependencies.redis)
    assert not await workshop.releaser.drain(0.0)
    workshop.server.connected = True
    assert await workshop.releaser.drain(30.0)
    running.cancel()
    assert workshop.in_flight() == 0
    assert workshop.context.dependencies.redis


async def test_a_rerouted_job_is_back_in_its_lane_with_its_permit_released(workshop: Workshop):
    workshop.calls.result = BROKEN
    job, permit = await workshop.start()
    await workshop.attempts.run(job, permit, PLAN)
    await drained(workshop)
    assert (workshop.waiting(), workshop.in_flight()) == ([job.id], 0)


async def test_a_step_that_sql_refused_puts_nothing_back(workshop: Workshop):
    """The job was cancelled while its call ran."""
    workshop.calls.result = BROKEN
    job, permit = await workshop.start()
    workshop.calls.meanwhile = lambda _: workshop.scene.store.write(cancel_job, job.id)
    await workshop.attempts.run(job, permit, PLAN)
    await drained(workshop)
    assert workshop.scene.state(job.id) is State.CANCELLED
    assert (workshop.waiting(), workshop.in_flight()) == ([], 0)


@pytest.mark.parametrize(("why", "ask_at"), [(Reason.SLOTS, 0.0), (Reason.BREAKER, 0.0), (Reason.BUCKET, inf)])
async def test_a_lane_that_waits_for_what_a_call_holds_is_asked_again_once_it_ended(
    workshop: Workshop, why: Reason, ask_at: float
):
    job, permit = await workshop.start()
    workshop.lane.why, workshop.lane.ask_at = why, inf
    await workshop.attempts.run(job, permit, PLAN)
    assert workshop.lane.ask_at == inf
    await drained(workshop)
    assert workshop.lane.ask_at == ask_at


async def drained(workshop: Workshop) -> None:
    running = asyncio.create_task(workshop.releaser.run())
    assert await workshop.releaser.drain(30.0)
    running.cancel()
