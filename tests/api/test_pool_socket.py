"""Commands of the folder that `holdfast up` works in are its operator's: the socket stands in for a key."""

from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.keys import add_key
from holdfast.api import create_app
from holdfast.config import Settings
from holdfast.store import Store
from holdfast.store.audit import list_audit
from producing import served_as_pool


@pytest.fixture
def ours(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A client on the socket of a pool that has API keys."""
    monkeypatch.chdir(tmp_path)
    store = Store(settings.storage.database_url)
    store.ensure()
    add_key(store)
    with (
        served_as_pool(settings) as path,
        httpx2.Client(base_url="http://localhost", transport=httpx2.HTTPTransport(uds=str(path))) as client,
    ):
        yield client, path, store
    store.close()


def test_a_command_needs_no_key_and_its_acts_are_its_users(ours) -> None:
    client, _, store = ours
    assert client.get("/api/v1/status").status_code == 200
    assert client.post("/api/v1/routes/anthropic/claude-opus-4-8/open").status_code == 200
    assert next(each.actor for each in store.read(list_audit, 5)).startswith("cli:")


def test_a_command_is_told_commands(ours) -> None:
    client, _, _ = ours
    assert "`holdfast job list` shows what is" in client.get(f"/api/v1/jobs/job_{'0' * 32}").json()["detail"]


def test_over_the_network_a_key_is_wanted_all_the_same(settings: Settings, ours) -> None:
    """A client that names the socket as its host is no nearer to it."""
    _, path, _ = ours
    app = create_app(settings, path)
    with TestClient(app, base_url="http://127.0.0.1:8700") as stranger:
        assert stranger.get("/api/v1/status").status_code == 401
        assert stranger.get("/api/v1/status", headers={"Host": str(path)}).status_code in {401, 403}
