"""A plan without a usable key is said before anything is accepted: which model, which variables."""

import json
from collections.abc import Mapping
from threading import Event

import pytest

from holdfast.client.installation import Installation
from holdfast.client.usable_keys import UsableKeys
from holdfast.config import load
from producing import configured
from redis_servers import until

CONFIG = """
[providers.anthropic]
api = "anthropic"
credentials = [{ name = "main", secret = "env:FIRST_KEY" }]
[providers.openai]
api = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
credentials = [{ name = "main", secret = "env:SECOND_KEY" }]
[models.smart]
routes = [{ provider = "anthropic", model = "a" }, { provider = "openai", model = "b" }]
"""


@pytest.fixture
def keyless(cli, tmp_path, monkeypatch):
    for name in ("FIRST_KEY", "SECOND_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    (tmp_path / "in.jsonl").write_text('{"prompt": "hi", "model": "smart"}\n' * 3)
    return cli


@pytest.mark.parametrize(
    "command",
    [
        ["run", "in.jsonl", "-o", "out.jsonl"],
        ["submit", "in.jsonl"],
        ["ask", "hi"],
        ["ask", "hi", "--model", "anthropic/a"],
        ["up"],
        ["worker"],
    ],
)
def test_a_command_names_the_variables_and_accepts_nothing(keyless, tmp_path, command) -> None:
    ended = keyless(*command)
    assert ended.status == 78
    assert "FIRST_KEY is not set" in ended.err
    assert len(ended.err.strip().splitlines()) <= 3
    assert not (tmp_path / "out.jsonl").exists()
    if (tmp_path / ".holdfast" / "holdfast.db").exists():
        assert json.loads(keyless("job", "list", "--json").out)["jobs"] == []


def test_the_check_of_a_configuration_ends_with_78_too(keyless) -> None:
    ended = keyless("config", "check")
    assert ended.status == 78
    assert "FIRST_KEY is not set" in ended.out
    assert "SECOND_KEY is not set" in ended.out


@pytest.mark.parametrize("command", [["config", "check"], ["ask", "hi"], ["up"], ["worker"]])
def test_without_any_provider_the_usual_variables_are_named(keyless, tmp_path, command) -> None:
    (tmp_path / "holdfast.toml").unlink()
    ended = keyless(*command)
    assert ended.status == 78
    assert "ANTHROPIC_API_KEY" in ended.err + ended.out


def test_one_usable_key_is_enough(keyless, monkeypatch) -> None:
    monkeypatch.setenv("SECOND_KEY", "sk-test")
    checked = keyless("config", "check")
    assert checked.status == 0
    assert "FIRST_KEY is not set (other keys serve)" in checked.out
    assert keyless("submit", "in.jsonl").status == 0


def test_status_says_it_of_jobs_that_were_accepted_before(keyless, monkeypatch) -> None:
    monkeypatch.setenv("SECOND_KEY", "sk-test")
    assert keyless("submit", "in.jsonl").status == 0
    monkeypatch.delenv("SECOND_KEY")
    shown = keyless("status", "--json")
    assert any("SECOND_KEY is not set" in warning for warning in shown.json["warnings"])


def test_where_workers_run_their_keys_count_and_not_those_of_the_door(keyless, tmp_path) -> None:
    told: dict[str, str] = {}
    now = [0.0]
    keys = UsableKeys(load(tmp_path / "holdfast.toml"), lambda: True, lambda: dict(told), lambda: now[0])
    assert keys.reasons("smart") == {}
    told |= dict.fromkeys(("anthropic/main", "openai/main"), "it is empty")
    until(lambda: look_again(keys, now) == told)


def test_a_submit_waits_for_no_redis_that_hangs_once_it_has_answered(keyless, tmp_path) -> None:
    now, hung, asked = [0.0], Event(), Event()

    def told() -> dict[str, str]:
        if asked.is_set():
            hung.wait()
        asked.set()
        return dict.fromkeys(("anthropic/main", "openai/main"), "it is empty")

    keys = UsableKeys(load(tmp_path / "holdfast.toml"), lambda: True, told, lambda: now[0])
    first = keys.reasons("smart")
    assert set(first.values()) == {"it is empty"}
    assert [look_again(keys, now) for _ in range(3)] == [first] * 3
    hung.set()


def look_again(keys: UsableKeys, now: list[float]) -> Mapping[str, str]:
    """The reasons after what was known has become old."""
    now[0] += 60.0
    return keys.reasons("smart")


def test_an_api_that_is_given_no_keys_accepts(keyless, tmp_path) -> None:
    (tmp_path / "holdfast.toml").write_text(CONFIG + "[server]\nhas_keys = false\n")
    assert keyless("submit", "in.jsonl").status == 0


def test_the_settings_of_other_tests_have_usable_keys(tmp_path) -> None:
    installation = Installation(configured(tmp_path))
    assert installation.usable_keys.complaints() == []
    installation.close()
