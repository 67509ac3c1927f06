"""A provider that repeats the key it was called with, over a real connection: nothing of it is kept."""

import base64

import pytest

from holdfast.config import load
from holdfast.model.fault import Fault
from holdfast.model.reply import Reply
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Api
from holdfast.worker.provider_pool import ProviderPool
from providers.loopback import Loopback, answers, base_url, error, success

KEY = "sk-canary-Zk39dPqLm2XwR7tYb4"
ENCODED = base64.b64encode(KEY.encode()).decode()
APIS = [Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES]
PROMPT = Request(turns=(Turn(role=Role.USER, parts=(Text(text="hi"),)),), max_tokens=9)
CONFIG = """
[providers.p]
api = "{api}"
base_url = "{url}"
credentials = [{{ name = "main", secret = "env:THE_KEY" }}]
"""


async def ask(tmp_path, monkeypatch, api: Api, act) -> Reply | Fault:
    monkeypatch.setenv("THE_KEY", KEY)
    async with Loopback(act) as server:
        config = tmp_path / "holdfast.toml"
        config.write_text(CONFIG.format(api=api.value, url=base_url(api, server.url)))
        pool = ProviderPool(load(config, {"THE_KEY": KEY}), 2)
        client = await pool.client(pool._settings.providers["p"].route("m"), "main")
        result = await client.complete("m", PROMPT, deadline=5.0, tag="t")
        await pool.close()
    for form in (KEY, KEY[:16], KEY[-16:], ENCODED[4:20]):
        assert form not in repr(result)
        assert result.response is None or form.encode() not in result.response.body
    return result.outcome


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_a_key_in_an_error(tmp_path, monkeypatch, api: Api, status: int) -> None:
    act = answers(status, error(api, KEY, f"wrong key {KEY}", KEY), request_id=KEY, x_request_id=KEY)
    assert isinstance(await ask(tmp_path, monkeypatch, api, act), Fault)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("words", [f"{KEY[:14]} {KEY[14:]}", ENCODED, "x" * 290 + KEY])
async def test_a_key_in_pieces_in_base64_or_cut(tmp_path, monkeypatch, api: Api, words: str) -> None:
    assert isinstance(await ask(tmp_path, monkeypatch, api, answers(400, error(api, "t", words))), Fault)


@pytest.mark.parametrize("api", APIS)
async def test_a_key_in_a_page(tmp_path, monkeypatch, api: Api) -> None:
    page = f"<html><title>{KEY}</title></html>".encode()
    assert isinstance(await ask(tmp_path, monkeypatch, api, answers(502, page, content_type="text/html")), Fault)


@pytest.mark.parametrize("api", APIS)
async def test_a_key_in_a_reply(tmp_path, monkeypatch, api: Api) -> None:
    body = success(api, text=f"your key is {KEY}", model=KEY)
    outcome = await ask(tmp_path, monkeypatch, api, answers(200, body, request_id=KEY, x_request_id=KEY))
    assert isinstance(outcome, Reply)
