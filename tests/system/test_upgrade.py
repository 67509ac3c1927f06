"""New processes on a Postgres that is behind: workers wait, the API says so, and an upgrade sets both going."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from holdfast.api import create_app
from holdfast.config import Settings, load
from holdfast.store import Store
from holdfast.store.fleet import list_workers
from servers import postgres
from store.old_code import upgrade_to

WITHIN = 60.0  # seconds
CONFIG = """
[storage]
directory = "{directory}"
[providers.first]
api = "anthropic"
credentials = [{{ name = "main", secret = "env:HOLDFAST_TEST_KEY" }}]
[models.one]
routes = [{{ provider = "first", model = "claude" }}]
"""


@dataclass
class Behind:
    """A database at the first released revision, and a worker of today's code that was started on it."""

    settings: Settings
    store: Store
    worker: subprocess.Popen[bytes]
    log: Path

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + WITHIN
        while not true():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def stopped(self) -> int:
        self.worker.send_signal(signal.SIGTERM)
        return self.worker.wait(WITHIN)


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    with postgres() as url:
        store = Store(url)
        upgrade_to(store, "0002")
        monkeypatch.setenv("HOLDFAST_DATABASE_URL", url)
        monkeypatch.setenv("HOLDFAST_TEST_KEY", "sk-test")
        config = tmp_path / "holdfast.toml"
        config.write_text(CONFIG.format(directory=tmp_path))
        log = tmp_path / "worker.log"
        command = [sys.executable, "-m", "holdfast.worker", "--config", str(config)]
        with log.open("wb") as file:
            worker = subprocess.Popen(command, env=dict(os.environ), stderr=file, stdin=subprocess.DEVNULL)
        made = Behind(load(config), store, worker, log)
        try:
            made.until(lambda: "schema_behind" in log.read_text())
            yield made
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
            store.close()


def test_a_worker_waits_for_the_upgrade_and_then_works(behind: Behind) -> None:
    assert "holdfast db upgrade" in behind.log.read_text()
    assert behind.store.read(list_workers) == []
    behind.store.upgrade()
    behind.until(lambda: len(behind.store.read(list_workers)) == 1)
    assert behind.stopped() == 0


def test_a_worker_that_waits_can_be_stopped(behind: Behind) -> None:
    assert behind.stopped() == 0


def test_the_api_says_503_until_the_upgrade_and_then_takes_jobs(behind: Behind) -> None:
    with TestClient(create_app(behind.settings), base_url="http://127.0.0.1:8700") as api:
        job = {"model": "one", "prompt": "Ahoy."}
        refused = api.post("/api/v1/jobs", json=job)
        assert (refused.status_code, refused.json()["code"]) == (503, "schema_behind")
        assert refused.headers["retry-after"]
        assert api.get("/readyz").status_code == 503
        assert api.get("/livez").status_code == 200
        behind.store.upgrade()
        assert api.post("/api/v1/jobs", json=job).status_code == 202
