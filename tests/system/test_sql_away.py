"""SQL goes away while calls are under way: they end, their results are kept and written later, and no call starts."""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import StorageUnavailable
from servers import restart_postgres, start_postgres, stop
from system.fleet import Fleet

JOBS = 200
IN_FLIGHT = 20
AWAY = 4.0  # seconds, longer than the lease
NOTICED = 1.5  # seconds after which nobody starts a call


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Postgres that the test may stop and start again; every process of the fleet uses it."""
    directory = Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
    url, process = start_postgres(directory)
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", url)
    try:
        yield directory
    finally:
        stop(process)
        (directory / "postgres.log").unlink(missing_ok=True)
        shutil.rmtree(directory, ignore_errors=True)


def test_a_postgres_that_restarts_costs_a_pause_and_no_finished_call(
    cluster: Path, build: Callable[..., Fleet]
) -> None:
    fleet = build(latency=(0.3, 0.3), concurrency=IN_FLIGHT)
    batch = fleet.submit(JOBS)
    fleet.worker(), fleet.worker()
    fleet.until(lambda: fleet.done(batch) > 40)
    stop_cluster(cluster)
    with pytest.raises(StorageUnavailable):
        fleet.submit(1)
    time.sleep(NOTICED)
    started = fleet.sims[0].counts()["calls"]
    time.sleep(AWAY - NOTICED)
    assert fleet.sims[0].counts()["calls"] == started
    again = restart_postgres(cluster)
    try:
        fleet.until(lambda: answers(fleet))
        fleet.until_done(batch)
        assert fleet.succeeded(batch) == JOBS
        assert fleet.sims[0].counts()["calls"] == JOBS
        assert fleet.broken(batch) == []
        fleet.close()
    finally:
        stop(again)


def test_a_sqlite_file_that_another_process_locks_loses_no_finished_call(build: Callable[..., Fleet]) -> None:
    fleet = build(latency=(0.3, 0.3), concurrency=IN_FLIGHT)
    batch = fleet.submit(JOBS)
    fleet.worker()
    fleet.until(lambda: fleet.done(batch) > 40)
    lock = sqlite3.connect(fleet.directory / "holdfast.db", isolation_level=None)
    lock.execute("begin immediate")
    time.sleep(NOTICED)
    started = fleet.sims[0].counts()["calls"]
    time.sleep(AWAY - NOTICED)
    assert fleet.sims[0].counts()["calls"] == started
    lock.execute("rollback")
    lock.close()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == JOBS
    assert fleet.sims[0].counts()["calls"] == JOBS
    assert fleet.broken(batch) == []


def stop_cluster(directory: Path) -> None:
    """As an administrator does it at once: clients are cut off."""
    pid = int((directory / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGINT)
    while (directory / "data" / "postmaster.pid").exists():
        time.sleep(0.02)


def answers(fleet: Fleet) -> bool:
    try:
        fleet.store.ping()
    except StorageUnavailable:
        return False
    return True
