"""What hardly anybody means is told by `config check`, and is no error."""

from pathlib import Path

import pytest

from holdfast.config import find_doubts, load

OPENAI = '[providers.openai]\napi = "openai-chat"\n'
DOUBTS = [
    (OPENAI + "deadline = 120000\n", "providers.openai.deadline lets one call take 1 d 9 h", '"120000ms" is meant'),
    (OPENAI + 'base_url = "https://api.openai.com"\n', "providers.openai.base_url", "at https://api.openai.com/v1."),
    ('[providers.g]\napi = "groq"\nbase_url = "https://api.groq.com/v1"\n', "groq.com/v1,", "api.groq.com/openai/v1."),
    ('[providers.o]\napi = "ollama"\nbase_url = "http://localhost:11434"\n', "11434,", "http://localhost:11434/v1."),
    ('[providers.v]\napi = "vllm"\nbase_url = "http://gpu:8000/"\n', "http://gpu:8000,", "http://gpu:8000/v1."),
    ('[providers.a]\napi = "anthropic"\nbase_url = "https://api.anthropic.com/v1"\n', "/v1,", "anthropic.com."),
    (
        OPENAI + '[models.m]\nroutes = [{ provider = "openai", model = "m", deadline = 60000 }]\n',
        "models.m.routes[0].deadline lets one call take 16 h 40 min",
        '"60000ms"',
    ),
]
SURE = [
    "",
    OPENAI + 'deadline = "1h"\n',
    OPENAI + 'base_url = "https://api.openai.com/v1/"\n',
    '[providers.ollama]\napi = "ollama"\n',
    '[providers.own]\napi = "openai-chat"\nbase_url = "https://llm.example.com/openai"\n',
    '[providers.own]\napi = "anthropic"\nbase_url = "https://llm.example.com"\n',
]


def doubts_about(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "holdfast.toml"
    file.write_text(text)
    return find_doubts(load(file, {}))


@pytest.mark.parametrize(("text", "what", "meant"), DOUBTS, ids=[what for _, what, _ in DOUBTS])
def test_a_value_that_hardly_anybody_means_is_one_sentence_with_what_is_meant(tmp_path, text, what, meant) -> None:
    (told,) = doubts_about(tmp_path, text)
    assert what in told
    assert meant in told


@pytest.mark.parametrize("text", SURE)
def test_what_is_meant_is_not_doubted(tmp_path, text: str) -> None:
    assert doubts_about(tmp_path, text) == []
