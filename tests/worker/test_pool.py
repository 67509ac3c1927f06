"""A process that stops gives back what it holds, and ends its lease when Redis has heard everything."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from attempts import called
from holdfast.model.job import State
from holdfast.store.fleet import list_workers
from holdfast.worker import part_tasks
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


@dataclass
class OnePart:
    """A duty that tells when it runs, beside the others of a pool."""

    runs: asyncio.Event
    task: asyncio.Task[None] | None = None
    closed_after: bool | None = None

    @property
    def by_name(self):
        return {"duties": self.run}

    async def run(self) -> None:
        self.runs.set()
        self.task = asyncio.current_task()
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed_after = self.task is not None and self.task.done()


async def test_what_fails_while_later_parts_are_made_ready_keeps_no_duty_from_running_and_threads_end_last(
    pool: Pool, monkeypatch
):
    tried = list[str]()

    def look_up_prices(_settings: object) -> None:
        tried.append("prices")
        if len(tried) == 1:
            raise OSError

    monkeypatch.setattr(module, "FIRST_CALLS", 0.0)
    monkeypatch.setattr(module, "OPENING", 0.0)
    monkeypatch.setattr(part_tasks, "REVIVE", 0.0)
    monkeypatch.setattr(module, "look_up_prices", look_up_prices)
    parts = OnePart(asyncio.Event())
    monkeypatch.setattr(pool, "_make_later_parts", lambda: parts)
    later = asyncio.create_task(pool._keep_later_running([]))
    await asyncio.wait_for(parts.runs.wait(), 60.0)
    assert len(tried) == 2
    await pool._end_parts([later])
    assert parts.closed_after is True
