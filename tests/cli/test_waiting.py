"""Whoever waits for one job learns from the exit status whether there is a reply."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from holdfast.store.backlog import lane_heads
from producing import StandInWorker

DIED, ANSWERED = 3, 0


@contextmanager
def working(act: Callable[[], int]) -> Iterator[None]:
    """Look for work in another thread, as a worker does."""
    done = Event()

    def work() -> None:
        while not done.wait(0.01) and not act():
            pass

    with ThreadPoolExecutor(1) as thread:
        worked = thread.submit(work)
        yield
        done.set()
        worked.result()


@pytest.mark.parametrize(("how", "status"), [("bury", DIED), ("answer", ANSWERED)])
def test_ask_ends_with_3_where_its_job_died(cli, worker: StandInWorker, how: str, status: int) -> None:
    with working(lambda: getattr(worker, how)("smart.interactive")):
        ended = cli("ask", "Say ahoy.")
    assert ended.status == status
    assert ("SAY AHOY." in ended.out) == (status == ANSWERED)


@pytest.mark.parametrize(("how", "status"), [("bury", DIED), ("answer", ANSWERED)])
def test_to_wait_for_a_dead_job_ends_with_3(cli, prompts, worker: StandInWorker, how: str, status: int) -> None:
    cli("submit", prompts("one"))
    [offer] = worker.store.read(lane_heads, "smart.batch", 1)
    getattr(worker, how)()
    assert cli("job", "wait", f"job_{offer.id}").status == status
