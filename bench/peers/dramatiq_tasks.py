"""dramatiq: an async actor, a thread for each call in flight. `python dramatiq_tasks.py JOBS` enqueues."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO
from sdk_call import REDIS, ask, enqueue_all

broker = RedisBroker(url=REDIS)
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)


@dramatiq.actor
async def complete(number: int) -> None:
    await ask(number)


def enqueue(jobs: int) -> None:
    for number in range(jobs):
        complete.send(number)


if __name__ == "__main__":
    enqueue_all(enqueue)
