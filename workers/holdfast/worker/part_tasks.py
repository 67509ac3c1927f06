"""The parts of a pool as tasks: started again when they break, and ended for good when it stops."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from holdfast.model.errors import QueueUnavailable

log = structlog.get_logger()
CANCEL_AGAIN = 0.1  # seconds until a part that has not ended is cancelled once more
REVIVE = 1.0  # seconds between looks at a part that failed


async def keep_running(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run a part until cancelled; one that breaks is logged and started again."""
    while True:
        try:
            await part()
        except QueueUnavailable as error:
            log.warning("part_waits", part=name, why=str(error))
        except Exception:
            log.exception("part_broke", part=name, effect="it is started again")
        await asyncio.sleep(REVIVE)


async def ended(tasks: Sequence[asyncio.Task[None]], again: float = CANCEL_AGAIN) -> None:
    """Cancel until every task has ended. Before Python 3.12 ``wait_for``, through which the Redis client sends,
    swallows a cancellation that comes in the moment in which the send ends.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=again)
