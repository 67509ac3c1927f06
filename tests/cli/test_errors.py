"""How commands end when they cannot do what they were asked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from producing import configured


def test_every_error_of_a_configuration_comes_at_once_with_status_78(cli, tmp_path) -> None:
    (tmp_path / "holdfast.toml").write_text(
        '[server]\nport = "many"\n[models.smart]\nroutes = [{ provider = "antropic", model = "x" }]\n'
        '[providers.anthropic]\napi = "anthropic"\n'
    )
    ended = cli("config", "check")
    assert ended.status == 78
    assert "holdfast.toml:2: server.port" in ended.err
    assert "holdfast.toml:4" in ended.err
    assert "anthropic" in ended.err


def test_with_json_an_error_is_a_problem_document(cli, tmp_path) -> None:
    (tmp_path / "holdfast.toml").write_text("[server]\nport = -1\n")
    ended = cli("config", "check", "--json")
    problem = json.loads(ended.err)
    assert (ended.status, problem["code"], problem["exit_status"]) == (78, "configuration", 78)
    assert problem["problems"]
    assert ended.out == ""


def test_json_may_stand_before_the_command_too(cli) -> None:
    assert cli("--json", "config", "check").json["models"] == ["smart"]


def test_a_good_configuration_says_which_secrets_cannot_be_read_here(cli, tmp_path) -> None:
    extra = '[providers.extra]\napi = "openai-chat"\ncredentials = [{ name = "main", secret = "env:NOT_SET" }]\n'
    file = tmp_path / "holdfast.toml"
    file.write_text(file.read_text() + extra)
    checked = cli("config", "check", "--json")
    assert checked.status == 0
    assert "NOT_SET" in checked.json["secrets"][-1]["problem"]


def test_the_shown_configuration_has_defaults_and_no_password(cli, settings, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", "postgresql://me:secret@db.example.org/hf")
    shown = cli("config", "show", "--json")
    assert "secret@" not in shown.out
    assert shown.json["storage"]["database_url"] == "postgresql://me@db.example.org/hf"
    assert shown.json["worker"]["concurrency"] == 500


def test_an_unreachable_database_ends_with_status_69(cli, prompts, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    ended = cli("submit", prompts("one"))
    assert ended.status == 69
    assert "127.0.0.1" in ended.err


def test_an_unreachable_server_ends_with_status_69(cli, monkeypatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    ended = cli("status", "--server", "http://127.0.0.1:1")
    assert ended.status == 69
    assert "HOLDFAST_URL" in ended.err


@pytest.mark.parametrize("line", [("job",), ("nonsense",), ("run",), ("dlq", "replay", "--limit", "0")])
def test_a_wrong_command_line_ends_with_status_2(cli, line) -> None:
    assert cli(*line).status == 2


def test_a_configuration_that_is_named_and_not_there_is_an_error(cli) -> None:
    assert cli("status", "--config", "nothing.toml").status == 78


def test_upgrading_a_database_that_is_up_to_date_changes_nothing(cli) -> None:
    assert cli("db", "upgrade").status == 0
    assert cli("db", "upgrade", "--json").json["upgraded"] is True


def test_only_what_is_on_this_machine_can_be_broken(cli) -> None:
    ended = cli("sim", "break", "https://api.anthropic.com")
    assert ended.status == 2
    assert "no simulated provider" in ended.err


def test_a_simulated_provider_that_is_not_there_is_unreachable(cli) -> None:
    assert cli("sim", "heal", "http://127.0.0.1:1").status == 69


@pytest.mark.parametrize("command", ["--help", "--version", "dlq replay --help", "config show"])
def test_what_cannot_be_written_is_one_line_and_no_traceback(tmp_path, command: str) -> None:
    configured(tmp_path)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "holdfast.cli", *command.split()],
            stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "holdfast: standard output: No space left on device. Make room, and run the same command again."
    ]


@pytest.mark.parametrize("group", [[], ["job"], ["dlq"], ["route"], ["webhook"], ["db"]], ids=" ".join)
def test_a_list_of_commands_says_whole_sentences(cli, group: list[str]) -> None:
    said = cli(*group, "--help").out
    assert "..." not in said.replace("[ARGS]...", "")
    assert "\u2026" not in said
