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
        self._heard: dict[str, asyncio.Event] = {}
        self._listener: asyncio.Task[None] | None = None

    def clear(self, lane: str) -> None:
        """Whoever looks into ``lane`` now needs no older hint."""
        if lane in self._heard:
            self._heard[lane].clear()
        self._heard.setdefault(EVERY_LANE, asyncio.Event()).clear()

    async def wait(self, lane: str = EVERY_LANE, at_most: float | None = None) -> bool:
        """Wait for a hint that ``lane`` (or any) may have work. False: none came within ``at_most`` seconds.

        A hint that came since the last fetch counts.
        """
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._channel.run())
        heard = self._heard.setdefault(lane, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):  # ``wait_for`` swallows cancellations before Python 3.12
                await heard.wait()
        return heard.is_set()

    async def close(self) -> None:
        if self._listener is not None:
            await ended([self._listener])
            self._listener = None

    @contextlib.asynccontextmanager
    async def _pubsub(self) -> AsyncIterator[PubSub]:
        async with (await self._client()).pubsub() as channel:
            yield channel

    def _tell(self, lane: str) -> None:
        """A hint about one lane wakes those who wait for it or for any; one about none wakes everybody."""
        for name, heard in self._heard.items():
            if lane in (name, EVERY_LANE) or name == EVERY_LANE:
                heard.set()
