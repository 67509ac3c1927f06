"""Workers on other hosts than their stores and providers, and the links between them cut in turn."""

import time
from collections.abc import Callable, Iterator

import pytest

from holdfast.store.batches import count_unfinished
from holdfast.store.fleet import list_workers
from hosts.deployment import PROVIDER, REDIS, SQL, WORKERS, Deployment, deployment
from hosts.network import why_not

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
RESUMED = 30.0  # seconds after the link is back: the promise
CUT = 3.5  # seconds: longer than the workers' leases
NOTICED = 2.5  # seconds in which a worker sees that there are others
JOBS = 160  # 4 s of work for two hosts of ten places each

InjectedFault = Callable[[Deployment, int], None]


@pytest.fixture(scope="module")
def running() -> Iterator[Deployment]:
    with deployment() as made:
        for host in WORKERS:
            made.start(host)
        batch = made.submit(20)
        made.until(lambda: made.succeeded(batch) == 20, 30)
        yield made


@pytest.fixture(autouse=True)
def links_are_whole(running: Deployment) -> Iterator[None]:
    yield
    running.network.mend()


def for_a_while(running: Deployment, far: int) -> None:
    for host in WORKERS:
        running.network.cut(*running.ends(host, far))
    time.sleep(CUT)
    running.network.mend()


def answers_lost(running: Deployment, far: int) -> None:
    """Questions arrive and their answers do not."""
    for host in WORKERS:
        near, there = running.ends(host, far)
        running.network.drop(there, near)
    time.sleep(CUT)
    running.network.mend()


def flapping(running: Deployment, far: int) -> None:
    for _ in range(5):
        for host in WORKERS:
            running.network.cut(*running.ends(host, far))
        time.sleep(0.4)
        running.network.mend()
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("far", "how"),
    [
        (REDIS, for_a_while),
        (SQL, for_a_while),
        (PROVIDER, for_a_while),
        (REDIS, answers_lost),
        (SQL, answers_lost),
        (SQL, flapping),
        (PROVIDER, flapping),
    ],
)
def test_a_broken_link_loses_nothing_and_work_resumes(running: Deployment, far: int, how: InjectedFault) -> None:
    batch = running.submit(JOBS)
    running.until(lambda: running.succeeded(batch) > 0, 10, "the first answer")
    how(running, far)
    before = running.succeeded(batch)
    running.until(lambda: running.succeeded(batch) > before or before == JOBS, RESUMED, "work did not resume")
    running.until(lambda: running.store.read(count_unfinished, batch) == 0, RESUMED, "the batch did not end")
    assert running.succeeded(batch) == JOBS
    assert running.offenders() == []


def test_a_host_that_alone_cannot_reach_the_provider_opens_no_breaker(running: Deployment) -> None:
    """Its calls fail in silence, it parks itself; the other host goes on at full speed and does the work of both."""
    running.until(
        lambda: {worker.host for worker in running.store.read(list_workers)} == set(WORKERS), 15, "both hosts work"
    )
    time.sleep(NOTICED)
    batch = running.submit(JOBS)
    running.until(lambda: running.succeeded(batch) > 0, 10, "the first answer")
    near, there = running.ends(WORKERS[0], PROVIDER)
    running.network.drop(there, near)
    states: set[str] = set()

    def is_done() -> bool:
        states.update(running.breakers().values())
        return running.store.read(count_unfinished, batch) == 0

    running.until(is_done, RESUMED, "the other host did not do the work")
    assert states <= {"closed"}
    assert running.succeeded(batch) == JOBS
    assert running.offenders() == []
