"""Hints that jobs have ended, published after the commit. Whoever waits asks SQL at once instead of a second later."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import redis
from redis.asyncio.client import PubSub

from holdfast.lanes.connection import Connection
from holdfast.lanes.hint_channel import HintChannel
from holdfast.lanes.task_ends import ended
from holdfast.lanes.topology import FAILED
from holdfast.model.errors import QueueUnavailable
from holdfast.telemetry.loggers import library_logger

MOST = 500  # ids in one message
COOL_OFF = 1.0  # seconds after a failure in which nothing is published
LAST_WORDS = 2.0  # seconds that a process which ends waits for its last hints to leave

log = library_logger(__name__)


class EndedJobsPublisher:
    """Publishes ids from a thread of its own, those that came meanwhile in one message. Safe to share between threads.

    ``reach`` finds Redis. While it is away hints are dropped: nobody waits for them, and SQL says the same.
    """

    def __init__(self, reach: Callable[[], Connection], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._reach, self._clock = reach, clock
        self._ended: SimpleQueue[Sequence[str] | None] = SimpleQueue()  # None: close
        self._quiet_until = float("-inf")
        self._thread = threading.Thread(target=self._serve, name="ended-jobs", daemon=True)
        self._start = threading.Lock()

    def publish(self, jobs: Sequence[str]) -> None:
        """Say that jobs have ended, by the ids that SQL knows them by. Returns at once and raises nothing."""
        self._ended.put(jobs)
        if self._thread.ident is None:
            with self._start:
                if self._thread.ident is None:
                    self._thread.start()

    def close(self) -> None:
        """Publish what was handed in, and end."""
        if self._thread.ident is not None:
            self._ended.put(None)
            self._thread.join(LAST_WORDS)

    def _serve(self) -> None:
        open_ = True
        while open_:
            groups = [self._ended.get(), *self._more()]
            open_ = None not in groups
            jobs = [job for group in groups if group is not None for job in group]
            if jobs and self._clock() >= self._quiet_until:
                self._send(jobs)

    def _more(self) -> Iterable[Sequence[str] | None]:
        with contextlib.suppress(Empty):
            while True:
                yield self._ended.get_nowait()

    def _send(self, jobs: Sequence[str]) -> None:
        try:
            connection = self._reach()
            for start in range(0, len(jobs), MOST):
                words = " ".join(jobs[start : start + MOST])
                connection.ask(partial(redis.Redis.publish, channel=connection.keys.ended, message=words))
        except QueueUnavailable as error:
            self._quiet_until = self._clock() + COOL_OFF
            log.info("whoever waits for %d ended jobs hears of them from SQL: %s", len(jobs), error)


class EndedJobsListener:
    """Passes the ids of jobs that ended to ``tell``, in the event loop in which it is started.

    ``reach`` finds Redis, on a thread; it may raise QueueUnavailable, and is asked again.
    """

    def __init__(self, reach: Callable[[], Connection], tell: Callable[[Sequence[str]], None]) -> None:
        self._reach, self._tell = reach, tell
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on, unless it does already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            await ended([self._task])
            self._task = None

    async def _run(self) -> None:
        """Find Redis, which a worker may have yet to start, and listen."""
        while True:
            with contextlib.suppress(QueueUnavailable):
                await self._listen(await asyncio.to_thread(self._reach))
            await asyncio.sleep(COOL_OFF)

    async def _listen(self, connection: Connection) -> None:
        def tell(words: str) -> None:
            self._tell(words.split())

        await HintChannel(lambda: subscription(connection), connection.keys.ended, tell).run()


@contextlib.asynccontextmanager
async def subscription(connection: Connection) -> AsyncIterator[PubSub]:
    """Open a connection to subscribe with; an embedded server may have come back elsewhere since the last one."""
    async with connection.asynchronous() as client, client.pubsub() as channel:
        yield channel


class EndedJobSleeper:
    """Sleeps for a thread that waits for one job, and not on when a hint says that this job has ended.

    Where Redis is away it sleeps as long as it is told. Belongs to one thread.
    """

    def __init__(self, reach: Callable[[], Connection], job: str) -> None:
        self._reach, self._job = reach, job
        self._channel: Any = None
        self._quiet_until = float("-inf")

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``, or until the job has ended. A hint that came since the last sleep counts."""
        until = time.monotonic() + seconds
        if time.monotonic() >= self._quiet_until:
            try:
                self._listen(until)
            except (*FAILED, OSError, QueueUnavailable):
                self.close()
                self._quiet_until = time.monotonic() + COOL_OFF
            else:
                return
        time.sleep(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        if self._channel is not None:
            channel, self._channel = self._channel, None
            with contextlib.suppress(*FAILED, OSError):
                channel.close()

    def _listen(self, until: float) -> None:
        if self._channel is None:
            connection = self._reach()
            client: Any = connection.sync()  # redis-py leaves pubsub without types
            self._channel = client.pubsub(ignore_subscribe_messages=True)
            self._channel.subscribe(connection.keys.ended)
        while (left := until - time.monotonic()) > 0:
            hint = self._channel.get_message(timeout=left)
            if hint is not None and self._job in str(hint["data"]).split():
                return
