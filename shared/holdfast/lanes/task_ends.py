"""Ending tasks that speak to Redis."""

import asyncio
from collections.abc import Sequence

CANCEL_AGAIN = 0.1  # seconds until a task that has not ended is cancelled once more


async def ended(tasks: Sequence[asyncio.Task[None]], again: float = CANCEL_AGAIN) -> None:
    """Cancel until every task has ended. Before Python 3.12 ``wait_for``, through which the Redis client sends,
    swallows a cancellation that comes in the moment in which the send ends.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=again)
