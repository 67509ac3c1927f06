"""Hints that a lane may have work: somebody offered, a breaker moved. Lost ones cost a moment, nothing else."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import redis.asyncio
from redis.asyncio.client import PubSub

from holdfast.lanes.topology import FAILED

AGAIN = 1.0  # seconds between tries to listen
LISTEN = 30.0  # seconds of silence after which the connection is looked after
QUICK = 5  # silences in a row that were no wait; subscribing brings one or two
EVERY_LANE = ""


class WakeListener:
    """Listens from the first ``wait`` on. ``client`` finds the Redis to listen to."""

    def __init__(self, client: Callable[[], Awaitable[redis.asyncio.Redis]], channel: str) -> None:
        self._client, self._channel = client, channel
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
            self._listener = asyncio.create_task(self._listen())
        heard = self._heard.setdefault(lane, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):  # ``wait_for`` swallows cancellations before Python 3.12
                await heard.wait()
        return heard.is_set()

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
            self._listener = None

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*FAILED, OSError):
                async with (await self._client()).pubsub() as channel:
                    await channel.subscribe(self._channel)
                    await self._hear(channel)
            await asyncio.sleep(AGAIN)

    async def _hear(self, channel: PubSub) -> None:
        """Pass hints on until the connection is dead: one that timed out says "nothing yet" at once, for ever."""
        loop, quick = asyncio.get_running_loop(), 0
        while quick < QUICK:
            asked = loop.time()
            hint = await channel.get_message(ignore_subscribe_messages=True, timeout=LISTEN)
            if hint is not None:
                self._tell(str(hint["data"]))
            quick = quick + 1 if hint is None and loop.time() - asked < LISTEN / 2 else 0

    def _tell(self, lane: str) -> None:
        """A hint about one lane wakes those who wait for it or for any; one about none wakes everybody."""
        for name, heard in self._heard.items():
            if lane in (name, EVERY_LANE) or name == EVERY_LANE:
                heard.set()
