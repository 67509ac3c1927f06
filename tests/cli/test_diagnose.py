"""``holdfast diagnose``: a verdict for people and for programs, with the exit status that says what a script may do."""

import subprocess
import sys

import orjson


def test_a_provider_that_nobody_configured_is_not_found(cli) -> None:
    ended = cli("diagnose", "nobody")
    assert ended.status == 4
    assert "nobody" in ended.err


def test_what_is_not_reached_is_told_with_its_checks(cli) -> None:
    ended = cli("diagnose", "anthropic", "--no-calls", "--json")
    (found,) = ended.json["providers"]
    assert (ended.status, ended.json["verdict"], found["provider"]) == (69, "local_network", "anthropic")
    assert {name: found["checks"][0][name] for name in ("name", "ok")} == {"name": "connection", "ok": False}
    shown = cli("diagnose", "anthropic", "--no-calls")
    assert shown.out.startswith("anthropic: nothing is reached from this host (local_network)\n  no connection")


def test_log_events_stand_in_no_output_of_a_command(tmp_path) -> None:
    config = tmp_path / "holdfast.toml"
    config.write_text(
        f'[storage]\ndatabase_url = "sqlite:///{tmp_path}/db"\n'
        '[providers.one]\napi = "openai-chat"\nbase_url = "http://127.0.0.1:9"\n'
        'credentials = [{ name = "main", secret = "file:/nowhere/key" }]\n'
        '[models.smart]\nroutes = [{ provider = "one", model = "m" }]\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "holdfast.cli", "diagnose", "--json", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, check=False, text=True, cwd=tmp_path)
    checks = orjson.loads(ended.stdout)["providers"][0]["checks"]
    assert ("key main", False) in {(each["name"], each["ok"]) for each in checks}, "the command says it itself"
    assert ended.stderr == ""
