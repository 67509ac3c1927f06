"""A subscription to one channel of Redis that outlives its connections. What is published while it is down is lost."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from redis.asyncio.client import PubSub

from holdfast.lanes.topology import FAILED
from holdfast.model.errors import QueueUnavailable

AGAIN = 1.0  # seconds between tries to listen
LISTEN = 30.0  # seconds of silence after which the connection is looked after
QUICK = 5  # silences in a row that were no wait; subscribing brings one or two


class HintChannel:
    """Passes what is published on ``name`` to ``tell``. ``pubsub`` opens a connection to subscribe with.

    Every message is a hint that something is to be looked at in SQL: a lost one costs time alone.
    """

    def __init__(
        self, pubsub: Callable[[], AbstractAsyncContextManager[PubSub]], name: str, tell: Callable[[str], None]
    ) -> None:
        self._pubsub, self._name, self._tell = pubsub, name, tell

    async def run(self) -> None:
        """Listen until cancelled, with a new connection whenever one is lost."""
        while True:
            with contextlib.suppress(*FAILED, OSError, QueueUnavailable):
                async with self._pubsub() as channel:
                    await channel.subscribe(self._name)
                    await self._listen(channel)
            await asyncio.sleep(AGAIN)

    async def _listen(self, channel: PubSub) -> None:
        """Pass hints on until the connection is dead: one that timed out says "nothing yet" at once, for ever."""
        loop, quick = asyncio.get_running_loop(), 0
        while quick < QUICK:
            asked = loop.time()
            hint = await channel.get_message(ignore_subscribe_messages=True, timeout=LISTEN)
            if hint is not None:
                self._tell(str(hint["data"]))
            quick = quick + 1 if hint is None and loop.time() - asked < LISTEN / 2 else 0
