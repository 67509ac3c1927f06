"""Hints make work start sooner; a connection that died must never hold up the loop that everything runs on."""

import asyncio
from typing import Any, Self

from holdfast.lanes.wake_listener import EVERY_LANE, WakeListener


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


class TalkingChannel(DeadChannel):
    """Hands on what a test says, all of it in one turn of the loop."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue()

    async def get_message(self, **_: Any) -> dict[str, str]:
        try:
            return {"data": await self.said.get()}
        finally:
            self.said.task_done()

    async def say(self, *lanes: str) -> None:
        for lane in lanes:
            self.said.put_nowait(lane)
        await self.said.join()


class Client:
    def __init__(self, channel: DeadChannel) -> None:
        self._channel = channel

    def pubsub(self) -> DeadChannel:
        return self._channel


def listener_to(channel: DeadChannel) -> WakeListener:
    async def client() -> Any:
        return Client(channel)

    return WakeListener(client, "wake")


async def test_a_connection_that_timed_out_is_left_and_the_loop_goes_on() -> None:
    listener = listener_to(DeadChannel())
    async with asyncio.timeout(30):
        assert await listener.wait(0.05) == set()
    await listener.close()


async def test_a_look_into_one_lane_needs_its_own_hints_no_more_and_leaves_those_of_others() -> None:
    channel = TalkingChannel()
    listener = listener_to(channel)
    assert await listener.wait(0) == set()  # it listens from now on
    await channel.say("smart.batch", "other.batch", EVERY_LANE)
    listener.clear("smart.batch")
    assert await listener.wait(20) == {"other.batch", EVERY_LANE}
    assert await listener.wait(0) == set()
    await listener.close()
