"""An adapter per credential: made anew when its secret changed, and nothing that it says repeats the secret."""

import asyncio
import os

import pytest

from holdfast.config import load
from holdfast.credentials import NoToken
from holdfast.model.call_result import CallResult, ProviderResponse
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.request import Request
from holdfast.model.route import Plan, Route
from holdfast.worker import provider_pool as module
from holdfast.worker.provider_pool import ProviderPool

CONFIG = """
[providers.p]
api = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
credentials = [{{ name = "main", secret = "file:{key}" }}]
"""

SLOW = """
[providers.slow]
api = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
credentials = [{{ name = "main", secret = "command:cat {fifo}" }}]

[providers.broken]
api = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
credentials = [{{ name = "main", secret = "command:false" }}]
"""


class StandIn:
    """A provider that refuses every login and repeats the key."""

    def __init__(self, secret: str) -> None:
        self.secret, self.closed = secret, False

    async def complete(self, model, request, *, deadline, tag, refusal=None, ceiling=None) -> CallResult:
        body = f'{{"message": "wrong key {self.secret}"}}'.encode()
        fault = Fault(FaultKind.AUTH, f"401: wrong key {self.secret}", status=401)
        return CallResult(fault, response=ProviderResponse(401, body))

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def key(tmp_path):
    return tmp_path / "key"


@pytest.fixture
def providers(tmp_path, key, monkeypatch) -> ProviderPool:
    monkeypatch.setattr(module, "connect", lambda api, url, secret, **_: StandIn(secret))
    config = tmp_path / "holdfast.toml"
    config.write_text(CONFIG.format(key=key))
    return ProviderPool(load(config, {}), 10)


@pytest.fixture
def route(providers) -> Route:
    return providers._settings.providers["p"].route("m")


async def test_the_same_key_has_the_same_adapter(providers, route, key):
    key.write_text("key-number-a")
    assert await providers.client(route, "main") is await providers.client(route, "main")


async def test_a_changed_key_has_a_new_adapter_and_the_old_one_finishes_its_calls(providers, route, key):
    key.write_text("key-number-a")
    first = await providers.client(route, "main")
    key.write_text("key-number-bb")
    await providers.credentials._provider("p", "main").tick()
    second = await providers.client(route, "main")
    assert (first.secret, second.secret) == ("key-number-a", "key-number-bb")
    for _ in range(50):  # whatever closes it has its turn
        await asyncio.sleep(0)
    assert not first.provider.closed
    await providers.close()
    assert first.provider.closed
    assert second.provider.closed


async def test_a_key_that_a_provider_repeats_does_not_get_into_the_fault(providers, route, key):
    key.write_text("key-number-a")
    client = await providers.client(route, "main")
    answer = await client.complete("m", Request.model_validate({"turns": []}), deadline=1.0, tag="t")
    assert "key-number-a" not in answer.outcome.message
    assert answer.response == ProviderResponse(401, '{"message": "wrong key …"}'.encode())
    assert "key-number-a" not in repr(client)


async def test_a_key_that_is_not_there_is_no_token(providers, route):
    with pytest.raises(NoToken, match="p/main"):
        await providers.client(route, "main")


async def test_a_key_that_appears_later_is_planned_with(providers, route, key):
    plan = Plan("p/m", (route,))
    keeper = providers.credentials._provider("p", "main")
    await keeper.tick()
    assert providers.usable(plan).routes == ()
    assert not providers.found_missing("p", "other")
    key.write_text("key-number-a")
    keeper.clock = lambda: float("inf")
    await providers.client(route, "main")
    assert providers.found_missing("p", "main")
    assert providers.usable(plan) == plan


async def test_a_slow_command_holds_no_other_route_and_its_own_joins_when_it_answers(tmp_path, key):
    fifo, config = tmp_path / "fifo", tmp_path / "holdfast.toml"
    os.mkfifo(fifo)
    key.write_text("key-number-a")
    config.write_text(CONFIG.format(key=key) + SLOW.format(fifo=fifo))
    providers, joined = ProviderPool(load(config, {}), 10), asyncio.Event()
    plan = Plan("m", tuple(each.route("m") for each in providers._settings.providers.values()))

    async def changed(provider: str, credential: str) -> None:
        if providers.found_missing(provider, credential):
            joined.set()

    providers.credentials.changed = changed
    running = asyncio.create_task(providers.credentials.run())
    while "ended with status" not in providers.unusable.get("broken/main", ""):
        assert [route.provider for route in providers.usable(plan).routes] in ([], ["p"])
        await providers.credentials.read(at_most=0.001)
    assert [route.provider for route in providers.usable(plan).routes] == ["p"]
    assert "not answered yet" in providers.unusable["slow/main"]
    await asyncio.to_thread(fifo.write_text, "key-number-b")
    await joined.wait()
    await providers.credentials.read(at_most=60)
    assert [route.provider for route in providers.usable(plan).routes] == ["p", "slow"]
    running.cancel()
