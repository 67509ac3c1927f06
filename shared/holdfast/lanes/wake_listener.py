"""Hints that a lane may have work: somebody offered, a breaker moved. Lost ones cost a moment, nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import redis.asyncio
from redis.asyncio.client import PubSub

from holdfast.lanes.hint_channel import HintChannel
from holdfast.lanes.task_ends import ended

EVERY_LANE = ""


class WakeListener:
    """Listens from the first ``wait`` on. ``client`` finds the Redis to listen to."""

    def __init__(self, client: Callable[[], Awaitable[redis.asyncio.Redis]], channel: str) -> None:
        self._client, self._channel = client, HintChannel(self._pubsub, channel, self._tell)
        self._hinted: set[str] = set()
        self._news = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    def clear(self, lane: str) -> None:
        """Whoever looks into ``lane`` now needs no older hint of it."""
        self._hinted.discard(lane)

    async def wait(self, at_most: float | None = None) -> frozenset[str]:
        """Wait until lanes may have work, and return them; none after ``at_most`` seconds. EVERY_LANE: any may.

        A hint that came since the last fetch of its lane counts.
        """
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._channel.run())
        if not self._hinted:
            self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):  # ``wait_for`` swallows cancellations before Python 3.12
                await self._news.wait()
        hinted, self._hinted = frozenset(self._hinted), set()
        return hinted

    async def close(self) -> None:
        if self._listener is not None:
            await ended([self._listener])
            self._listener = None

    @contextlib.asynccontextmanager
    async def _pubsub(self) -> AsyncIterator[PubSub]:
        async with (await self._client()).pubsub() as channel:
            yield channel

    def _tell(self, lane: str) -> None:
        self._hinted.add(lane)
        self._news.set()
