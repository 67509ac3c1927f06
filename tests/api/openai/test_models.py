"""``/v1/models`` answers each SDK in its own shape."""

import anthropic
import openai
import pytest

NAMES = ["smart", "claude-opus-4-8", "gpt-5.4"]


@pytest.fixture
def claude(url):
    with anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="none") as client:
        yield client


def test_openais_sdk_lists_models(client) -> None:
    models = list(client.models.list())
    assert [model.id for model in models] == NAMES
    assert [model.owned_by for model in models] == ["holdfast", "anthropic", "openai"]


def test_anthropics_sdk_lists_models_by_pages(claude) -> None:
    assert [model.id for model in claude.models.list(limit=2)] == NAMES
    assert [model.id for model in claude.models.list(limit=1, before_id="gpt-5.4").data] == ["claude-opus-4-8"]


@pytest.mark.parametrize("name", [*NAMES, "openai/gpt-5.4-mini", "claude-haiku-4-5"])
def test_every_name_that_a_call_may_give_is_found(client, claude, name) -> None:
    assert (client.models.retrieve(name).id, claude.models.retrieve(name).id) == (name, name)


def test_a_model_that_nobody_knows_is_not_found(client, claude) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("no such")
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("no such")
