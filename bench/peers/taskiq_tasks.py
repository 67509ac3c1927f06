"""taskiq: a coroutine on the worker's event loop; acknowledged on a stream. `python taskiq_tasks.py JOBS` enqueues."""

import asyncio

from sdk_call import REDIS, ask, enqueue_all
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(url=REDIS)


@broker.task(task_name="complete")
async def complete(number: int) -> None:
    await ask(number)


async def send(jobs: int) -> None:
    await broker.startup()
    for number in range(jobs):
        await complete.kiq(number)
    await broker.shutdown()


if __name__ == "__main__":
    enqueue_all(lambda jobs: asyncio.run(send(jobs)))
