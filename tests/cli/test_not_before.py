"""Jobs for later from the command line: by an option, and by what a line says, which comes first."""

from holdfast.model.job import State
from holdfast.store.backlog import release_due
from producing import StandInWorker

LINES = (
    '{"model": "smart", "prompt": "a", "not_before": "2h"}',
    '{"model": "smart", "prompt": "b", "not_before": "0s"}',
)


def test_lines_say_when_they_start_and_the_option_says_it_for_the_others(
    cli, prompts, store, worker: StandInWorker
) -> None:
    source = prompts(*LINES, "c")
    sent = cli("submit", source, "--not-before", "2099-01-01", "--json").json
    assert (sent["jobs"], worker.answer()) == (3, 1)
    delayed = cli("job", "list", "--batch", sent["batch"], "--state", "delayed", "--json").json["jobs"]
    assert [job["custom_id"] for job in delayed] == ["c2", None]
    assert delayed[0]["not_before"] == "2099-01-01T00:00:00.000Z"
    assert "starts" in cli("job", "show", delayed[1]["id"]).out
    store.write(lambda tx: tx.connection.exec_driver_sql("update job set available_at = 1 where state = 'delayed'"))
    store.write(release_due, 10)
    assert worker.answer() == 2
    assert cli("batch", "show", sent["batch"], "--json").json["counts"][State.SUCCEEDED] == 3


def test_what_is_no_time_is_refused_before_anything_is_submitted(cli, prompts) -> None:
    ended = cli("run", prompts("a"), "-o", "out.jsonl", "--not-before", "tomorrow")
    assert ended.status == 2
    assert "--not-before" in ended.err
    ended = cli("submit", prompts('{"model": "smart", "prompt": "a", "not_before": "tomorrow"}'))
    assert (ended.status, "not_before" in ended.err) == (3, True)
