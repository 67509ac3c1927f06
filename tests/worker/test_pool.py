"""A process that stops gives back what it holds, and ends its lease when Redis has heard everything."""

from collections.abc import AsyncIterator

import pytest

from attempts import called
from holdfast.model.job import State
from holdfast.store.fleet import list_workers
from holdfast.worker import pool as module
from holdfast.worker.pool import Pool
from store.scene import REPLY, permit
from worker.workshop import Workshop


@pytest.fixture
async def pool(workshop: Workshop) -> AsyncIterator[Pool]:
    made = Pool(workshop.context.settings, workshop.context.store, workshop.connection)
    await made.context.lease.sign_on()
    yield made
    await made.context.gate.close()


def is_signed_on(pool: Pool) -> bool:
    return pool.context.worker in {worker.id for worker in pool.context.store.read(list_workers)}


async def test_what_it_held_is_queued_again_and_its_lease_has_ended(workshop: Workshop, pool: Pool):
    [job] = await workshop.offer()
    workshop.scene.claim(job, worker=pool.context.worker)
    await pool._hand_back()
    assert workshop.scene.state(job) is State.QUEUED
    assert workshop.scene.job(job).calls == 1  # it may have been sent
    assert not is_signed_on(pool)


async def test_its_lease_does_not_end_before_redis_knows_of_every_call(workshop: Workshop, pool: Pool, monkeypatch):
    monkeypatch.setattr(module, "LAST_WORDS", 0.0)
    [job] = await workshop.offer()
    pool.releaser.release([called(permit(job), REPLY)])
    await pool._hand_back()
    assert is_signed_on(pool)
