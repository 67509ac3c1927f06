"""Group commit: everybody gets the answer to what they asked, whoever shares their commit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest

from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import State
from holdfast.model.step import Complete
from holdfast.store import GroupWriter, Store
from holdfast.store.writer import HOLD
from store.scene import Scene, bury, failure, permit, retry, success

T = TypeVar("T")


class Flaky:
    """A database that is away for as long as it is told, and counts the transactions that it took."""

    def __init__(self, store: Store) -> None:
        self._write = store.write
        self.away = False
        self.refused = 0
        self.taken = 0
        store.write = self.write  # type: ignore[method-assign]

    def write(self, change: Callable[..., T], *args: Any) -> T:
        if self.away:
            self.refused += 1
            raise StorageUnavailable("here", "it is away")
        self.taken += 1
        return self._write(change, *args)


@pytest.fixture
def scene(tmp_path: Any, empty_file: Any) -> Scene:
    """SQLite alone: the writer speaks to the store, and the store to the database."""
    path = tmp_path / "holdfast.db"
    path.write_bytes(empty_file.read_bytes())
    return Scene(Store(f"sqlite:///{path}"))


@pytest.fixture
async def writer(scene: Scene) -> AsyncIterator[GroupWriter]:
    opened = GroupWriter(scene.store, hold=0.0)
    opened.start()
    yield opened
    await asyncio.to_thread(opened.close)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.001)


async def test_a_claim_and_its_settlement_are_written(scene: Scene, writer: GroupWriter) -> None:
    [job] = scene.submit()
    [claimed] = await writer.claim(scene.worker, [permit(job)])
    assert await writer.finish([success(claimed)])
    assert scene.state(job) is State.SUCCEEDED


async def test_what_comes_together_is_committed_together(scene: Scene, writer: GroupWriter) -> None:
    database = Flaky(scene.store)
    jobs = scene.submit(200)
    database.taken = 0
    claims = await asyncio.gather(*(writer.claim(scene.worker, [permit(job)]) for job in jobs))
    assert [claim[0].id for claim in claims] == jobs
    assert all(await asyncio.gather(*(writer.finish([success(claim[0])]) for claim in claims)))
    assert database.taken < 40
    assert not scene.broken()


async def test_workers_share_a_commit_and_get_their_own_jobs(scene: Scene, writer: GroupWriter) -> None:
    other = scene.hire()
    jobs = scene.submit(4)
    mine, theirs = await asyncio.gather(
        writer.claim(scene.worker, [permit(job) for job in jobs[:2]]),
        writer.claim(other, [permit(job) for job in jobs[2:]]),
    )
    assert ({job.id for job in mine}, {job.id for job in theirs}) == (set(jobs[:2]), set(jobs[2:]))
    assert scene.job(jobs[3]).worker == other


async def test_a_job_that_two_ask_for_goes_to_one(scene: Scene, writer: GroupWriter) -> None:
    [job] = scene.submit()
    claims = await asyncio.gather(*(writer.claim(scene.worker, [permit(job)]) for _ in range(5)))
    assert sorted(len(claim) for claim in claims) == [0, 0, 0, 0, 1]


async def test_an_attempt_that_cannot_be_written_fails_alone(scene: Scene, writer: GroupWriter) -> None:
    good, bad = scene.claim(*scene.submit(2))
    broken = failure(bad, Complete())  # complete, without a reply
    answers = await asyncio.gather(writer.finish([broken]), writer.finish([success(good)]), return_exceptions=True)
    assert isinstance(answers[0], ValueError)
    assert answers[1] is True
    assert scene.state(bad.id) is State.RUNNING


async def test_finished_calls_are_kept_while_the_database_is_away(scene: Scene, writer: GroupWriter) -> None:
    jobs = scene.claim(*scene.submit(3))
    database = Flaky(scene.store)
    database.away = True
    settling = [asyncio.create_task(writer.finish([success(job)])) for job in jobs]
    await until(lambda: database.refused >= 2)
    assert not any(task.done() for task in settling)
    database.away = False
    assert await asyncio.gather(*settling) == [True, True, True]


async def test_no_claim_is_made_while_the_database_is_away(scene: Scene, writer: GroupWriter) -> None:
    [job] = scene.submit()
    Flaky(scene.store).away = True
    with pytest.raises(StorageUnavailable):
        await writer.claim(scene.worker, [permit(job)])


async def test_closing_writes_what_was_handed_in(scene: Scene) -> None:
    writer = GroupWriter(scene.store)
    writer.start()
    jobs = scene.claim(*scene.submit(20))
    settling = [asyncio.create_task(writer.finish([success(job)])) for job in jobs]
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.close)
    assert all(await asyncio.gather(*settling))


async def test_closing_gives_up_on_a_database_that_stays_away(scene: Scene) -> None:
    writer = GroupWriter(scene.store, hold=0.01)
    writer.start()
    claimed = scene.start()
    Flaky(scene.store).away = True
    settling = asyncio.create_task(writer.finish([success(claimed)]))
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.close)
    with pytest.raises(StorageUnavailable):
        await settling


async def test_after_closing_nothing_is_taken(scene: Scene) -> None:
    writer = GroupWriter(scene.store)
    writer.start()
    writer.close()
    with pytest.raises(StorageUnavailable):
        await writer.claim(scene.worker, [])
    with pytest.raises(StorageUnavailable):
        await writer.finish([success(scene.start())])


async def test_a_caller_that_gave_up_disturbs_nobody(scene: Scene, writer: GroupWriter) -> None:
    first, second = scene.claim(*scene.submit(2))
    leaving = asyncio.create_task(writer.finish([failure(first, retry())]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await writer.finish([failure(second, bury())])
    assert scene.state(first.id) is State.DELAYED


async def test_a_job_handed_back_and_claimed_in_one_commit_is_claimed(scene: Scene, writer: GroupWriter) -> None:
    claimed = scene.start()
    settled, again = await asyncio.gather(
        writer.finish([failure(claimed, retry(0))]), writer.claim(scene.worker, [permit(claimed.id)])
    )
    assert settled
    assert [job.fence for job in again] in ([2], [])
    assert not scene.broken()


async def test_while_finished_calls_wait_for_the_database_the_writer_says_so(scene: Scene, writer: GroupWriter) -> None:
    claimed = scene.start()
    flaky = Flaky(scene.store)
    flaky.away = True
    settling = asyncio.create_task(writer.finish([success(claimed)]))
    await until(lambda: writer.holding)
    flaky.away = False
    assert await settling
    assert not writer.holding


async def test_closing_waits_a_minute_for_a_database_that_comes_back(scene: Scene) -> None:
    writer = GroupWriter(scene.store)  # with the hold that is promised
    assert writer._hold == HOLD == 60.0
    writer.start()
    claimed = scene.start()
    flaky = Flaky(scene.store)
    flaky.away = True
    settling = asyncio.create_task(writer.finish([success(claimed)]))
    closing = asyncio.create_task(asyncio.to_thread(writer.close))
    await until(lambda: flaky.refused > 1 and writer._closing_at is not None)
    flaky.away = False
    await closing
    assert await settling
