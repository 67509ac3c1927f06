"""The checks against servers on loopback: every verdict comes from real connections, keys and calls."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic  # noqa: F401 - its import takes seconds, and none of them shall be a call's
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from holdfast.config import load
from holdfast.credentials import Credentials
from holdfast.diagnose import calls
from holdfast.diagnose.checks import Examination, Examiner
from holdfast.model.errors import ConfigError
from holdfast.model.fault import Fault, FaultKind

ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "opus",
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
SECRET = "sk-ant-a-secret-of-this-test-0123456789"
Ask = Callable[..., Awaitable[Examination]]


@dataclass
class Provider:
    """A server that is a provider and its status page. ``calls`` and ``lists``: HTTP status by model and by key."""

    calls: dict[str, int] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)
    page: tuple[int, Any] = (200, {"status": {"indicator": "none"}, "components": [], "incidents": []})

    async def call(self, request: web.Request) -> web.Response:
        status = self.calls.get((await request.json())["model"], 200)
        return _json(ANSWER if status == 200 else _error(status, request), status)

    async def list(self, request: web.Request) -> web.Response:
        status = self.lists.get(request.headers.get("x-api-key", ""), 200)
        return _json({"data": []} if status == 200 else _error(status, request), status)

    async def status(self, _: web.Request) -> web.Response:
        status, body = self.page
        return _json(body, status)


def _error(status: int, request: web.Request) -> dict[str, Any]:
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
    words = f"no, {request.headers.get('x-api-key')}"
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": words}}


def _json(body: object, status: int) -> web.Response:
    return web.json_response(body, status=status)


@pytest.fixture
async def provider() -> AsyncIterator[tuple[Provider, str]]:
    """A provider and its address."""
    told, app = Provider(), web.Application()
    app.router.add_post("/v1/messages", told.call)
    app.router.add_get("/v1/models", told.list)
    app.router.add_get("/api/v2/summary.json", told.status)
    async with TestServer(app) as server:
        yield told, str(server.make_url("")).rstrip("/")


@pytest.fixture
def ask(provider: tuple[Provider, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Examine the provider, or the same configuration at another ``address``, or with more ``keys``."""

    async def ask(address: str | None = None, keys: int = 1, **how: Any) -> Examination:
        for name in range(keys):
            monkeypatch.setenv(f"TEST_KEY_{name}", f"{SECRET}{name}")
        credentials = ", ".join(
            f'{{ name = "k{name}", secret = "env:TEST_KEY_{name}" }}' for name in range(max(keys, 1))
        )
        file = tmp_path / "holdfast.toml"
        file.write_text(
            f'[providers.a]\napi = "anthropic"\nbase_url = "{address or provider[1]}"\ncredentials = [{credentials}]\n'
            f'status_page = "{provider[1]}"\n[models.smart]\n'
            'routes = [{ provider = "a", model = "opus" }, { provider = "a", model = "haiku" }]\n'
        )
        (found,) = await Examiner(load(file), **how).examine(["a"])
        return found

    return ask


async def test_a_provider_that_answers_is_healthy_and_every_check_says_so(ask: Ask) -> None:
    found = await ask()
    assert found.diagnosis.verdict == "healthy"
    assert [(each.name, each.ok) for each in found.checks] == [
        ("connection", True),
        ("without a key", True),
        ("key k0", True),
        ("model opus", True),
        ("model haiku", True),
        ("status page", True),
    ]


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        ({"opus": 503, "haiku": 503}, "provider_inference"),
        ({"opus": 529}, "one_model"),
        ({"opus": 429, "haiku": 429}, "rate_limited"),
        ({"opus": 404, "haiku": 404}, "local_configuration"),
        ({"opus": 401, "haiku": 401}, "provider_authentication"),  # while the key opens the list of models
    ],
)
async def test_what_calls_come_to_decides(ask: Ask, provider: Any, calls: dict[str, int], verdict: str) -> None:
    provider[0].calls = calls
    assert (await ask()).diagnosis.verdict == verdict


async def test_a_wrong_key_is_ones_own_and_is_repeated_nowhere(ask: Ask, provider: Any) -> None:
    provider[0].calls, provider[0].lists = {"opus": 401, "haiku": 401}, {f"{SECRET}0": 401}
    found = await ask()
    assert found.diagnosis.verdict == "local_configuration"
    assert SECRET not in repr(found)


async def test_keys_that_are_refused_together_are_the_providers_doing(ask: Ask, provider: Any) -> None:
    provider[0].calls = {"opus": 401, "haiku": 401}
    provider[0].lists = {f"{SECRET}0": 401, f"{SECRET}1": 401}
    assert (await ask(keys=2)).diagnosis.verdict == "provider_authentication"


async def test_money_is_told_from_rates(ask: Ask, provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider[0], "calls", {"opus": 402, "haiku": 402})
    assert (await ask()).diagnosis.verdict == "budget"


async def test_a_web_outage_is_no_reason_to_wait(ask: Ask, provider: Any) -> None:
    parts = [{"name": "claude.ai", "status": "major_outage"}, {"name": "Claude API", "status": "operational"}]
    provider[0].page = (200, {"status": {"indicator": "major"}, "components": parts, "incidents": []})
    assert (await ask()).diagnosis.verdict == "web_only"


async def test_a_page_that_cannot_be_read_is_no_outage(ask: Ask, provider: Any) -> None:
    provider[0].page = (405, "Human Verification")
    found = await ask()
    assert found.diagnosis.verdict == "healthy"
    assert found.checks[-1].ok is None


async def test_a_port_where_nobody_listens_is_the_provider_while_its_page_answers(ask: Ask) -> None:
    with socket.socket() as taken:  # bound, and listening to nobody
        taken.bind(("127.0.0.1", 0))
        found = await ask(address=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert found.diagnosis.verdict == "provider_inference"


async def test_nothing_reached_at_all_is_the_network(ask: Ask, provider: Any) -> None:
    provider[0].page = (503, "")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = await ask(address=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert found.diagnosis.verdict == "local_network"


async def test_a_name_that_nobody_knows_is_configuration_while_others_are_found(ask: Ask) -> None:
    assert (await ask(address="http://no-such-host.invalid")).diagnosis.verdict == "local_configuration"


async def test_a_variable_that_is_not_set_is_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY_0", raising=False)
    found = await ask(keys=0)
    assert found.diagnosis.verdict == "local_configuration"
    assert "TEST_KEY_0" in found.diagnosis.sentence


async def test_without_calls_no_model_is_called(ask: Ask, provider: Any) -> None:
    provider[0].calls = {"opus": 503, "haiku": 503}
    found = await ask(with_calls=False)
    assert found.diagnosis.verdict == "healthy"
    assert not any(each.name.startswith("model") for each in found.checks)


async def test_without_calls_what_the_fleets_calls_came_to_decides(ask: Ask) -> None:
    one = {"a/opus": Fault(FaultKind.OVERLOADED, status=529)}
    assert (await ask(with_calls=False, fleet_faults=one)).diagnosis.verdict == "one_model"
    both = one | {"a/haiku": Fault(FaultKind.SERVER_ERROR, status=500)}
    assert (await ask(with_calls=False, fleet_faults=both)).diagnosis.verdict == "provider_inference"


async def test_a_library_that_is_not_installed_is_configuration(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConfigError(('api = "anthropic": needs a library that is not installed',))

    monkeypatch.setattr(calls, "connect", refuse)
    found = await ask()
    assert found.diagnosis.verdict == "local_configuration"
    assert "not installed" in found.diagnosis.sentence


async def test_a_key_that_no_header_can_hold_breaks_no_other_check(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Credentials, "secret", with_a_line_end)
    found = await ask(with_calls=False)
    assert found.diagnosis.verdict == "local_configuration"
    assert SECRET not in repr(found)


async def with_a_line_end(*_: object) -> str:
    return f"{SECRET}\n"
