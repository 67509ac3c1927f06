"""Hosts whose clocks are wrong: leases, allowances and breakers go by SQL's and Redis's clocks, so it does no harm."""

from collections.abc import Iterator

import pytest

from holdfast.lab.providers.settings import InjectedFault
from holdfast.model.records import JobFilter
from holdfast.store.batches import count_unfinished
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import list_jobs
from hosts.deployment import WORKERS, Deployment, deployment
from hosts.network import why_not

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
OFF = (120.0, -120.0)  # seconds that the hosts' clocks are ahead
JOBS = 120
OUTAGE = 2.0  # seconds


@pytest.fixture
def skewed() -> Iterator[Deployment]:
    with deployment() as made:
        for host, ahead in zip(WORKERS, OFF, strict=True):
            made.start(host, ahead=ahead)
        made.until(lambda: len(made.store.read(list_workers)) == len(WORKERS), 30)
        yield made


def test_clocks_two_minutes_off_cost_no_job_a_second_call_and_no_worker_its_lease(skewed: Deployment) -> None:
    workers = {worker.id for worker in skewed.store.read(list_workers)}
    batch = skewed.submit(JOBS, expires_in=60.0)
    skewed.until(lambda: skewed.store.read(count_unfinished, batch) == 0, 40)
    assert skewed.succeeded(batch) == JOBS
    assert skewed.calls() == JOBS
    assert {worker.id for worker in skewed.store.read(list_workers)} == workers

    with skewed.network.inside("store"):
        skewed.sim.break_(InjectedFault(mode="e503", seconds=OUTAGE))
    batch = skewed.submit(JOBS, expires_in=60.0)
    skewed.until(lambda: skewed.store.read(count_unfinished, batch) == 0, 40, "a wait was taken on the wrong clock")
    assert skewed.succeeded(batch) == JOBS
    assert all(job.crashes == 0 for job in skewed.store.read(list_jobs, JobFilter(batch=batch), limit=JOBS))
    assert skewed.offenders() == []
