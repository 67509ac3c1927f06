from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from holdfast.api import create_app
from holdfast.config import Settings
from holdfast.store import Store
from producing import StandInWorker, configured


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return configured(tmp_path)


@pytest.fixture
def api(settings: Settings):
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8700", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def store(settings: Settings):
    store = Store(settings.storage.database_url)
    store.ensure()
    yield store
    store.close()


@pytest.fixture
def worker(store: Store) -> StandInWorker:
    return StandInWorker(store)
