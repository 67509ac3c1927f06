"""Duties: what SQL asks for is done by actors beside the pool, whether or not its message arrives."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from holdfast.client import bulk_actions
from holdfast.client.bulk_actions import act_on_dead_letters
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.sync import Holdfast
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.fleet import stop_worker
from holdfast.store.jobs import count_jobs
from holdfast.store.operations import BulkAction, find_operation, open_operation
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.duties import Duties
from producing import StandInWorker, configured

DEAD = JobFilter(states=frozenset({State.DEAD}))
LONG = 60.0  # seconds: far more than any machine needs


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Five dead letters, a worker that lives as far as SQL knows, and a Redis."""
    with Holdfast(configured(tmp_path, redis_url="embedded")) as hf:
        assert isinstance(hf.backend, LocalBackend)
        made = hf.backend.installation
        made.redis._open().ping()  # starts the embedded server
        hf.submit([f"prompt {n}" for n in range(5)], model="smart")
        StandInWorker(made.ready()).bury()
        yield made


@asynccontextmanager
async def duties(installation: Installation, keep: float | None = None) -> AsyncIterator[None]:
    made = Duties(installation.store, installation.redis._open().connection, DependencyHealth(), keep)
    task = asyncio.create_task(made.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.01)


def age(installation: Installation, statement: str) -> None:
    installation.store.write(lambda tx: tx.connection.execute(text(statement)))


@pytest.mark.parametrize("action", [BulkAction.REPLAY, BulkAction.DROP])
async def test_what_an_operator_asks_for_is_done_by_a_worker(installation, monkeypatch, action) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the one who asked did the work")

    monkeypatch.setattr(bulk_actions, "work_off", never)
    monkeypatch.setattr(bulk_actions, "PICK_UP", LONG)
    async with duties(installation):
        act = asyncio.to_thread(act_on_dead_letters, installation, BulkOrder(action.value, DEAD, 100), "ann", None)
        assert (await asyncio.wait_for(act, LONG)).jobs == 5
    assert installation.store.read(count_jobs, DEAD) == 0


async def test_a_worker_that_does_not_take_it_up_keeps_nobody_waiting(installation, monkeypatch) -> None:
    monkeypatch.setattr(bulk_actions, "PICK_UP", 0.05)
    act = asyncio.to_thread(act_on_dead_letters, installation, BulkOrder("drop", DEAD, 100), "ann", None)
    assert (await asyncio.wait_for(act, LONG)).jobs == 5


async def test_without_a_worker_it_is_done_at_once(installation, monkeypatch) -> None:
    monkeypatch.setattr(bulk_actions, "PICK_UP", LONG * 10)
    [worker] = LocalBackend(installation, tenant=None).workers()
    installation.store.write(stop_worker, worker.id)
    act = asyncio.to_thread(act_on_dead_letters, installation, BulkOrder("drop", DEAD, 100), "ann", None)
    assert (await asyncio.wait_for(act, LONG)).jobs == 5


async def test_an_operation_whose_message_was_lost_is_done_when_it_has_rested(installation) -> None:
    operation = installation.store.write(open_operation, BulkAction.REPLAY, DEAD, 100, "ann")
    age(installation, "update operation set moved_at = moved_at - 60000000")
    async with duties(installation):
        await until(lambda: installation.store.read(find_operation, operation).done)
    assert installation.store.read(find_operation, operation).jobs == 5


async def test_what_ended_long_ago_is_deleted(installation) -> None:
    day = 86_400 * 1_000_000
    age(installation, f"update job set finished_at = finished_at - {day}, id = '00000' || substr(id, 6)")
    async with duties(installation, keep=3600.0):
        await until(lambda: installation.store.read(count_jobs, DEAD) == 0)


async def test_an_operation_that_breaks_does_not_end_the_worker(installation, monkeypatch) -> None:
    broken = installation.store.write(open_operation, BulkAction.REPLAY, DEAD, 100, "ann")
    age(installation, "update operation set filter = 'no JSON', moved_at = moved_at - 60000000")
    whole = installation.store.write(open_operation, BulkAction.DROP, DEAD, 100, "ann")
    async with duties(installation):
        installation.redis.actors().send("work_off", broken)
        installation.redis.actors().send("work_off", whole)
        await until(lambda: installation.store.read(find_operation, whole).done)


async def test_a_pool_that_stops_leaves_no_thread_that_asks_redis(installation: Installation):
    async with duties(installation):
        await until(lambda: dramatiq_threads() != [])
    assert dramatiq_threads() == []


def dramatiq_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if type(thread).__module__ == "dramatiq.worker"]
