"""The parts of a pool as tasks, started again when they break."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from holdfast.model.errors import QueueUnavailable

log = structlog.get_logger()
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
