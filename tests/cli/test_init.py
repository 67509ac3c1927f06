"""``holdfast init`` writes what it finds: keys, servers of this machine, and the models that they list."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.cli.model_lists import ask, login
from holdfast.config import load, presets
from holdfast.config.presets import PRESETS

CHAT, ANTHROPIC = PRESETS["groq"], PRESETS["anthropic"]


@contextmanager
def answering(status: int, body: object) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server of models; yields its address, and the headers of each call."""
    seen: list[dict[str, str]] = []

    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Models)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for preset in PRESETS.values():
        if preset.key:
            monkeypatch.delenv(preset.key, raising=False)
    return tmp_path


def test_the_models_of_a_provider_are_asked_for_and_the_first_that_chats_is_taken(folder: Path, monkeypatch) -> None:
    listed = {"data": [{"id": "whisper-large"}, {"id": "llama-4-70b"}, {"id": "qwen-4"}]}
    with answering(200, listed) as (address, seen):
        monkeypatch.setattr(presets, "PRESETS", {"groq": replace(CHAT, address=address)})
        monkeypatch.setenv("GROQ_API_KEY", "gsk_1")
        done = CliRunner().invoke(app, ["init"])
    assert done.exit_code == 0, done.output
    assert [(call["path"], call["authorization"]) for call in seen] == [("/models", "Bearer gsk_1")]
    text = (folder / "holdfast.toml").read_text()
    assert "# it has: whisper-large, llama-4-70b, qwen-4" in text
    assert "gsk_1" not in text
    settings = load(folder / "holdfast.toml", {})
    assert [route.name for route in settings.plan("smart").routes] == ["groq/llama-4-70b"]
    schema = text.splitlines()[0].removeprefix("#:schema ")
    assert json.loads((folder / schema).read_text())["title"] == "holdfast.toml"


def test_a_refusal_is_said_and_the_provider_is_written_all_the_same(folder: Path, monkeypatch) -> None:
    with answering(401, {"error": "no"}) as (address, _):
        monkeypatch.setattr(presets, "PRESETS", {"groq": replace(CHAT, address=address)})
        monkeypatch.setenv("GROQ_API_KEY", "gsk_1")
        done = CliRunner().invoke(app, ["init"])
    assert done.exit_code == 0, done.output
    assert "groq told no models: it answered 401: is the key right?" in done.output
    assert list(load(folder / "holdfast.toml", {}).providers) == ["groq"]


def test_a_server_of_this_machine_is_found_without_a_key(folder: Path, monkeypatch) -> None:
    with answering(200, {"data": [{"id": "gemma3:12b"}]}) as (address, seen):
        monkeypatch.setattr(presets, "PRESETS", {"ollama": replace(PRESETS["ollama"], address=address)})
        done = CliRunner().invoke(app, ["init"])
    assert "authorization" not in seen[0]
    assert done.exit_code == 0, done.output
    assert load(folder / "holdfast.toml", {}).plan("smart").routes[0].name == "ollama/gemma3:12b"


def test_offline_nobody_is_asked(folder: Path, monkeypatch) -> None:
    with answering(200, {"data": []}) as (address, seen):
        monkeypatch.setattr(presets, "PRESETS", {"openai": replace(PRESETS["openai"], address=address)})
        monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
        done = CliRunner().invoke(app, ["init", "--offline"])
    assert (done.exit_code, seen) == (0, []), done.output
    assert load(folder / "holdfast.toml", {}).plan("smart").routes[0].name == "openai/gpt-5.4"


@pytest.mark.parametrize("body", [b"<html>", [], {"data": 5}, {"data": [{"id": 7}, None, {"id": 'a"]\n'}]}, "text"])
def test_an_answer_that_lists_nothing_is_said_to(body) -> None:
    with answering(200, body) as (address, _):
        assert ask(replace(CHAT, address=address), {}).why == "its answer lists no models"


def test_who_cannot_be_reached_is_said_to() -> None:
    assert ask(replace(CHAT, address="http://127.0.0.1:9"), {}).why.startswith("it could not be reached")


def test_anthropic_is_shown_a_key_in_its_own_way() -> None:
    assert login(ANTHROPIC, "k")["x-api-key"] == "k"
    assert "authorization" not in login(ANTHROPIC, "k")
