"""All nine verdicts come out on both storages, asked of the storage itself and of a server."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from diagnose.test_checks import SECRET, provider
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.config import Settings, load
from producing import NOBODY, served
from servers import postgres

__all__ = ["provider"]
BOTH = ("opus", "haiku")
PARTS = [{"name": "claude.ai", "status": "major_outage"}, {"name": "Claude API", "status": "operational"}]
WEB = (200, {"status": {"indicator": "major"}, "components": PARTS, "incidents": []})
CASES: dict[str, dict[str, Any]] = {
    "healthy": {},
    "provider_inference": {"calls": dict.fromkeys(BOTH, 503)},
    "one_model": {"calls": {"opus": 529}},
    "rate_limited": {"calls": dict.fromkeys(BOTH, 429)},
    "budget": {"calls": dict.fromkeys(BOTH, 402)},
    "provider_authentication": {"calls": dict.fromkeys(BOTH, 401)},
    "local_configuration": {"calls": dict.fromkeys(BOTH, 401), "lists": {SECRET: 401}},
    "web_only": {"page": WEB},
    "local_network": {"page": (503, ""), "away": True},
}
CONFIG = """
[storage]
database_url = "{database}"
redis_url = "{redis}"
directory = "{directory}"
[providers.a]
api = "anthropic"
base_url = "{address}"
credentials = [{{ name = "main", secret = "env:TEST_KEY" }}]
status_page = "{page}"
[models.smart]
routes = [{{ provider = "a", model = "opus" }}, {{ provider = "a", model = "haiku" }}]
"""


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


def configured(directory: Path, database: str, address: str, page: str) -> Settings:
    file = directory / "holdfast.toml"
    values = {"database": database, "redis": NOBODY, "directory": directory, "address": address, "page": page}
    file.write_text(CONFIG.format(**values))
    return load(file)


def ask_the_storage(settings: Settings) -> str:
    installation = Installation(settings)
    try:
        return str(LocalBackend(installation, tenant=None).diagnose("a")["verdict"])
    finally:
        installation.close()


def ask_a_server(settings: Settings) -> str:
    with served(settings) as url:
        answer = httpx2.get(f"{url}/api/v1/diagnose?provider=a", timeout=60, trust_env=False)
    return str(answer.raise_for_status().json()["verdict"])


@pytest.mark.parametrize("verdict", CASES)
@pytest.mark.parametrize(("ask", "database"), [(ask_the_storage, "sqlite"), (ask_a_server, "postgres")])
async def test_each_verdict_comes_out(
    provider: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    ask: Any,
    database: str,
    verdict: str,
) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)
    told, address = provider
    case = CASES[verdict]
    told.calls, told.lists = case.get("calls", {}), case.get("lists", {})
    told.page = case.get("page", told.page)
    url = f"sqlite:///{tmp_path}/h.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    with socket.socket() as taken:  # bound, and listening to nobody
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = configured(tmp_path, url, away if case.get("away") else address, address)
        assert await asyncio.to_thread(ask, settings) == verdict
