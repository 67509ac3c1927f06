"""Hints make work start sooner; a connection that died must never hold up the loop that everything runs on."""

import asyncio
from typing import Any, Self

from holdfast.lanes.wake_listener import WakeListener


class DeadChannel:
    """As redis-py's is after ETIMEDOUT: it says "nothing yet" at once, without giving up the loop."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def subscribe(self, name: str) -> None:
        return None

    async def get_message(self, **_: Any) -> None:
        return None


class DeadClient:
    def pubsub(self) -> DeadChannel:
        return DeadChannel()


async def test_a_connection_that_timed_out_is_left_and_the_loop_goes_on() -> None:
    async def client() -> Any:
        return DeadClient()

    listener = WakeListener(client, "wake")
    async with asyncio.timeout(30):
        assert await listener.wait("", 0.05) is False
    await listener.close()
