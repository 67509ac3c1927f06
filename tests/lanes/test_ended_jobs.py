"""Ids of ended jobs reach whoever waits at once; without Redis everybody hears of them later, and nobody breaks."""

import asyncio
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.lanes import connect
from holdfast.lanes.ended_jobs import EndedJobSleeper, EndedJobsListener, EndedJobsPublisher
from holdfast.model.errors import QueueUnavailable

NOBODY = "redis://127.0.0.1:1/0"


class Received:
    """What a listener told."""

    def __init__(self) -> None:
        self.jobs, self.news = list[str](), asyncio.Event()

    def tell(self, jobs) -> None:
        self.jobs += jobs
        self.news.set()

    async def until(self, job: str, publisher: EndedJobsPublisher) -> None:
        """Publish again and again, as jobs end, until one is heard of: who listens begins to some time."""
        async with asyncio.timeout(20):
            while job not in self.jobs:
                publisher.publish([job])
                await asyncio.wait({asyncio.create_task(self.news.wait())}, timeout=0.05)


async def test_whoever_listens_hears_of_jobs_that_ended(connection) -> None:
    heard = Received()
    listener = EndedJobsListener(lambda: connection, heard.tell)
    listener.start()
    with closing(EndedJobsPublisher(lambda: connection)) as publisher:
        await heard.until("a", publisher)
        publisher.publish([f"j{n}" for n in range(1_200)])
        await heard.until("last", publisher)
    await listener.close()
    assert [job for job in heard.jobs if job.startswith("j")] == [f"j{n}" for n in range(1_200)]


async def test_a_listener_ends_though_its_client_swallows_a_cancellation(monkeypatch) -> None:
    swallowed = asyncio.Event()

    async def listen(_) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(EndedJobsListener, "_run", listen)
    listener = EndedJobsListener(lambda: None, lambda _: None)
    listener.start()
    await asyncio.sleep(0)
    await listener.close()
    assert swallowed.is_set()


async def test_a_redis_that_comes_later_is_found(connection) -> None:
    tries, heard = iter([QueueUnavailable("there", "not yet")]), Received()

    def reach():
        for error in tries:
            raise error
        return connection

    listener = EndedJobsListener(reach, heard.tell)
    listener.start()
    with closing(EndedJobsPublisher(lambda: connection)) as publisher:
        await heard.until("a", publisher)
    await listener.close()


def test_publishing_without_redis_neither_waits_nor_raises() -> None:
    connection = connect(NOBODY, Path())
    with closing(EndedJobsPublisher(lambda: connection)) as publisher:
        publisher.publish(["a"])
        publisher.publish(["b"])
    connection.close()


def test_a_publisher_leaves_a_lost_redis_alone_for_a_while() -> None:
    asked, now = [], [0.0]

    def reach():
        asked.append(now[0])
        raise QueueUnavailable("there", "away")

    publisher = EndedJobsPublisher(reach, clock=lambda: now[0])
    publisher.publish(["a"])
    wait_for(lambda: asked)
    publisher.publish(["b"])
    wait_for(publisher._ended.empty)
    now[0] = 5.0
    publisher.publish(["c"])
    publisher.close()
    assert asked[0] == 0.0
    assert asked[-1] == 5.0
    assert len(asked) == 2


def test_a_thread_that_waits_for_a_job_is_woken_by_its_end(connection) -> None:
    with closing(EndedJobSleeper(lambda: connection, "a")) as sleeper, closing(connection) as there:
        sleeper.sleep(0.001)  # it listens from here on
        there.sync().publish(there.keys.ended, "b c")
        there.sync().publish(there.keys.ended, "d a e")
        began = time.monotonic()
        sleeper.sleep(60.0)
        assert time.monotonic() - began < 30.0


def test_a_thread_sleeps_on_where_there_is_no_redis() -> None:
    connection = connect(NOBODY, Path())
    with closing(EndedJobSleeper(lambda: connection, "a")) as sleeper:
        began = time.monotonic()
        sleeper.sleep(0.05)
        sleeper.sleep(0.05)
        assert time.monotonic() - began >= 0.1
    connection.close()


def wait_for(condition) -> None:
    """Wait for what another thread does."""
    pause = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("it never came")
