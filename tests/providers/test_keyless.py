"""A server that wants no key gets none, and no SDK that refuses to start stops anybody else."""

import pytest

from holdfast.model.errors import ConfigError
from holdfast.model.reply import Reply
from holdfast.model.route import Api
from holdfast.providers import connect as module
from holdfast.providers.connect import connect
from providers.conftest import ask
from providers.loopback import Loopback, answers, base_url, success

KEYS = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


@pytest.mark.parametrize("api", [Api.OPENAI_CHAT, Api.OPENAI_RESPONSES, Api.ANTHROPIC])
@pytest.mark.parametrize("environment", [{}, dict.fromkeys(KEYS, "sk-of-another-account")])
async def test_a_call_without_a_key_sends_none(monkeypatch, api, environment):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with Loopback(answers(200, success(api))) as server:
        provider = connect(api, base_url(api, server.url), "", concurrency=1)
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert isinstance(answer.outcome, Reply)
    assert not {"authorization", "x-api-key"} & server.seen[0].headers.keys()


def test_an_sdk_that_refuses_to_start_is_a_wrong_configuration(monkeypatch):
    def refuse(*_: object) -> None:
        raise RuntimeError("sk-secret is no key of mine")

    monkeypatch.setattr(module, "open_client", refuse)
    with pytest.raises(ConfigError, match="its SDK refuses to start: RuntimeError") as caught:
        connect(Api.OPENAI_CHAT, "http://localhost/v1", "sk-secret", concurrency=1)
    assert "sk-secret" not in str(caught.value)
