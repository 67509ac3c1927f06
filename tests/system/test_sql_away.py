"""SQL fails while calls are under way: they end, their results are kept and written later, and no call starts.

Clients are told 503 with Retry-After meanwhile, never that a job was taken which is not in the database.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import pytest
from fastapi.testclient import TestClient

from holdfast.api import create_app
from holdfast.model.errors import StorageUnavailable
from holdfast.model.records import JobFilter
from holdfast.store.jobs import list_jobs
from system.fleet import Fleet
from system.sql_faults import Site, postgres_site, sqlite_site

JOBS = 200
IN_FLIGHT = 20
NOTICED = 1.5  # seconds after which nobody starts a call
# Seconds that each fault lasts: longer than the lease of 3 s, and than whatever a statement waits for by itself.
FAULTS = {
    ("sqlite", "locked"): 12.0,
    ("sqlite", "full"): 6.0,
    ("postgres", "restarted"): 6.0,
    ("postgres", "locked"): 18.0,
    ("postgres", "full"): 6.0,
}


@pytest.fixture(params=FAULTS, ids=" ".join)
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A database that is about to fail; every process of the fleet uses it."""
    database, fault = request.param
    with sqlite_site(tmp_path, fault) if database == "sqlite" else postgres_site(fault) as made:
        made.lasts = FAULTS[request.param]
        monkeypatch.setenv("HOLDFAST_DATABASE_URL", made.url)
        yield made


@contextmanager
def client(fleet: Fleet) -> Iterator[TestClient]:
    with TestClient(create_app(fleet.settings), base_url="http://127.0.0.1:8700") as api:
        yield api


def test_a_fault_of_sql_costs_a_pause_and_no_finished_call(site: Site, build: Callable[..., Fleet]) -> None:
    fleet = build(latency=(0.3, 0.3), concurrency=IN_FLIGHT)
    batch = fleet.submit(JOBS)
    fleet.worker(), fleet.worker()
    with client(fleet) as api, ThreadPoolExecutor(1) as asking:
        fleet.until(lambda: fleet.done(batch) > 40)
        mend = site.begin()
        began = time.monotonic()
        told = asking.submit(ask, api)
        time.sleep(NOTICED)
        started = fleet.sims[0].counts()["calls"]
        time.sleep(max(0.0, site.lasts - (time.monotonic() - began)))
        assert fleet.sims[0].counts()["calls"] == started < JOBS
        assert (told.result(60).status_code, told.result().headers.get("retry-after")) == (503, "5")
        mend()
        fleet.until(lambda: answers(fleet))
        fleet.until_done(batch)
    assert fleet.succeeded(batch) == JOBS
    assert fleet.sims[0].counts()["calls"] == JOBS
    assert fleet.broken(batch) == []
    assert len(fleet.store.read(list_jobs, JobFilter(), limit=1000)) == JOBS  # none of those that were told 503
    fleet.close()


def ask(api: TestClient) -> object:
    """Submit what no page has room for, compressed or not."""
    return api.post("/api/v1/jobs", json={"model": "one", "prompt": token_hex(200_000)})


def answers(fleet: Fleet) -> bool:
    try:
        fleet.store.ping()
    except StorageUnavailable:
        return False
    return True
