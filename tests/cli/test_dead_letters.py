"""Dead letters: nothing changes without ``--yes``, and nothing is meant without a filter."""

import pytest

from cli.conftest import jsonl
from holdfast.model.records import JobFilter
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import BulkAction, open_operation


@pytest.fixture
def dead(cli, prompts, worker) -> int:
    cli("submit", prompts("one", "two", "three"))
    return worker.bury()


def count(cli) -> int:
    return len(cli("dlq", "list", "--json").json["jobs"])


def test_dead_letters_are_grouped_by_what_they_died_of(cli, dead) -> None:
    group = cli("dlq", "groups", "--json").json["groups"][0]
    assert (group["jobs"], group["fault"], group["lane"]) == (3, "invalid_request", "smart.batch")


@pytest.mark.parametrize("action", ["replay", "drop"])
def test_an_action_without_yes_shows_its_plan_and_changes_nothing(cli, dead, action) -> None:
    ended = cli("dlq", action, "--fault", "invalid_request", "--json")
    assert ended.status == 0
    assert (ended.json["jobs"], ended.json["dry_run"]) == (3, True)
    assert "--yes" in ended.err
    assert count(cli) == 3


@pytest.mark.parametrize("action", ["replay", "drop"])
def test_an_action_without_a_filter_is_refused(cli, dead, action) -> None:
    ended = cli("dlq", action, "--yes")
    assert ended.status == 2
    assert "--all" in ended.err
    assert count(cli) == 3


def test_replayed_letters_are_put_back_to_work(cli, dead, worker) -> None:
    done = cli("dlq", "replay", "--all", "--yes", "--per-minute", "60000", "--json").json
    assert (done["jobs"], done["dry_run"]) == (3, False)
    assert count(cli) == 0


def test_a_plan_says_how_long_a_paced_replay_takes(cli, dead) -> None:
    assert cli("dlq", "replay", "--all", "--per-minute", "2", "--json").json["minutes"] == 2


def test_the_limit_holds(cli, dead) -> None:
    assert cli("dlq", "drop", "--all", "--yes", "--limit", "2", "--json").json["jobs"] == 2
    assert count(cli) == 1


def test_drained_letters_are_in_the_file_and_nowhere_else(cli, dead, tmp_path) -> None:
    file = tmp_path / "letters.jsonl"
    assert cli("dlq", "drain", "--all", "-o", file).status == 0
    assert not file.exists()
    assert cli("dlq", "drain", "--all", "--yes", "-o", file, "--json").json["jobs"] == 3
    assert len(jsonl(file)) == 3
    assert count(cli) == 0


def test_what_an_interrupted_drain_has_taken_is_fetched_later(cli, dead, tmp_path, store) -> None:
    file = tmp_path / "letters.jsonl"
    id_ = store.write(open_operation, BulkAction.DRAIN, JobFilter(), None, "me")
    assert "0 of 3" in cli("dlq", "export", f"op_{id_}", "-o", file).err
    assert not file.exists()
    work_off(store, id_)
    assert cli("dlq", "export", f"op_{id_}", "-o", file, "--json").json["jobs"] == 3
    assert len(jsonl(file)) == 3
    assert cli("dlq", "export", f"op_{id_}", "-o", tmp_path / "more.jsonl").status == 4


def test_a_drain_overwrites_nothing(cli, dead, tmp_path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text("precious")
    assert cli("dlq", "drain", "--all", "--yes", "-o", file).status == 1
    assert file.read_text() == "precious"
    assert count(cli) == 3


def test_one_letter_is_named_by_its_job(cli, dead) -> None:
    job = cli("dlq", "list", "--json").json["jobs"][0]["id"]
    assert cli("dlq", "show", job, "--json").json["error"]["kind"] == "invalid_request"
    assert cli("dlq", "drop", "--job", job, "--yes", "--json").json["jobs"] == 1
    assert count(cli) == 2
