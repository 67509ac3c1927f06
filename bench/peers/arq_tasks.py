"""arq: a coroutine on the worker's event loop. `python arq_tasks.py JOBS` enqueues."""

import asyncio
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from sdk_call import IN_FLIGHT, REDIS, ask, enqueue_all

SETTINGS = RedisSettings.from_dsn(REDIS)


async def complete(_: dict[str, Any], number: int) -> None:
    await ask(number)


class WorkerSettings:
    """What `arq arq_tasks.WorkerSettings` reads."""

    functions = (complete,)
    redis_settings = SETTINGS
    max_jobs = IN_FLIGHT
    keep_result = 0  # nobody asks for it
    poll_delay = 0.05  # seconds; the default of 0.5 leaves places empty


async def send(jobs: int) -> None:
    pool = await create_pool(SETTINGS)
    for number in range(jobs):
        await pool.enqueue_job("complete", number)
    await pool.aclose()


if __name__ == "__main__":
    enqueue_all(lambda jobs: asyncio.run(send(jobs)))
