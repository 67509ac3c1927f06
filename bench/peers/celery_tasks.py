"""Celery: a task that blocks, for pools of greenlets or of threads. `python celery_tasks.py JOBS` enqueues."""

from celery import Celery
from sdk_call import REDIS, ask_blocking, blocking_client, enqueue_all

app = Celery("celery_tasks", broker=REDIS)
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, worker_send_task_events=False)


@app.task(name="complete", acks_late=True)
def complete(number: int) -> None:
    ask_blocking(number)


def enqueue(jobs: int) -> None:
    with app.producer_pool.acquire() as producer:
        for number in range(jobs):
            complete.apply_async((number,), producer=producer)


if __name__ == "__main__":
    enqueue_all(enqueue)
else:
    blocking_client()  # before greenlets would make one each
