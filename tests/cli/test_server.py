"""With a server, commands answer what they answer on the storage itself."""

import pytest

from cli.conftest import jsonl
from producing import served


@pytest.fixture
def url(settings, store, monkeypatch):
    with served(settings) as address:
        yield address


def test_every_view_is_the_same_through_a_server(cli, prompts, worker, url) -> None:
    cli("submit", prompts("one", "two", "three"))
    worker.answer(jobs=1)
    worker.bury(jobs=1)
    job = cli("job", "list", "--json").json["jobs"][0]["id"]
    for line in (
        ("job", "list"),
        ("job", "list", "--state", "dead", "--state", "queued", "--limit", "2"),
        ("job", "show", job),
        ("lane", "list"),
        ("route", "list"),
        ("dlq", "list", "--fault", "invalid_request"),
        ("dlq", "groups"),
        ("dlq", "drop", "--all"),
        ("ledger",),
    ):
        assert cli(*line, "--json", "--server", url).json == cli(*line, "--json").json, line


def test_a_run_through_a_server_writes_the_same_output(cli, prompts, worker, url, tmp_path) -> None:
    source = prompts("one", "? bad", "three", '{"prompt": "no model"}', "five")
    cli("submit", source, "--server", url)
    worker.answer()
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    assert cli("run", source, "-o", there, "--server", url).status == 3
    assert cli("run", source, "-o", here).status == 3
    assert jsonl(there) == jsonl(here)
    assert [line["status"] for line in jsonl(here)] == ["succeeded", "invalid", "succeeded", "invalid", "succeeded"]


def test_a_dry_run_through_a_server_counts_and_prices_the_same(cli, prompts, url) -> None:
    source = prompts("one", "? bad", '{"model": "smart", "prompt": "a", "max_tokens": 100}', '{"prompt": "no model"}')
    here, there = cli("run", source, "--dry-run", "--json"), cli("run", source, "--dry-run", "--json", "--server", url)
    assert (there.status, there.json) == (here.status, here.json)
    assert (here.status, here.json["jobs"], here.json["invalid"]) == (3, 2, 2)
    assert here.json["models"][0]["routes"][0]["usd_most"] > 0


def test_acts_through_a_server_are_acts(cli, prompts, worker, url, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_URL", url)
    batch = cli("submit", prompts("one", "two"), "--json").json["batch"]
    worker.bury(jobs=1)
    letters = tmp_path / "letters.jsonl"
    assert cli("dlq", "drain", "--all", "--yes", "-o", letters, "--json").json["jobs"] == 1
    assert len(jsonl(letters)) == 1
    assert cli("lane", "pause", "smart.batch", "--json").json["paused"] is True
    assert cli("route", "open", "openai/gpt-5.4", "--json").json["override"] == "open"
    assert cli("batch", "cancel", batch, "--json").json["cancelled"] == 1
    assert cli("job", "show", "0" * 32).status == 4


def test_a_configuration_that_is_named_counts_more_than_the_environment(cli, settings, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_URL", "http://127.0.0.1:1")
    assert cli("status", "--config", settings.source).status == 0
