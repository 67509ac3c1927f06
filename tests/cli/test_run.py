"""``holdfast run``: answers in input order, bad lines in their places, nothing paid for twice."""

import json
import os
from pathlib import Path

import pytest

from cli.conftest import jsonl
from holdfast.cli.download import OutputTotals, answer_file, collect
from holdfast.cli.upload import Upload
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.jobs import count_jobs


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def answered(cli, worker):
    """Submit a file and have it answered, as if workers had done so between two commands."""

    def answer(source: Path, *options: str) -> None:
        cli("submit", source, *options)
        worker.answer()

    return answer


def test_every_line_has_its_answer_in_input_order(cli, prompts, out, answered) -> None:
    source = prompts("one", "two", "three")
    answered(source)
    ended = cli("run", source, "-o", out)
    assert ended.status == 0
    assert [line["reply"]["text"] for line in jsonl(out)] == ["ONE", "TWO", "THREE"]
    assert [line["custom_id"] for line in jsonl(out)] == ["c0", "c1", "c2"]


def test_bad_lines_are_reported_and_become_errors_in_their_places(cli, prompts, out, answered) -> None:
    source = prompts("one", "? no json", '{"custom_id": "typo", "model": "smart", "promt": "x"}', "four")
    answered(source)
    ended = cli("run", source, "-o", out)
    first, broken, typo, last = jsonl(out)
    assert ended.status == 3
    assert (first["reply"]["text"], last["reply"]["text"]) == ("ONE", "FOUR")
    assert (broken["status"], broken["error"]["kind"], broken["reply"]) == ("invalid", "invalid_request", None)
    assert "line 2" in broken["error"]["message"]
    assert typo["custom_id"] == "typo"
    assert "line 3: promt" in ended.err
    assert "prompt" in typo["error"]["message"]


def test_a_line_for_an_unknown_model_names_the_nearest_one(cli, prompts, out, answered) -> None:
    source = prompts("one", '{"model": "smrt", "prompt": "x"}')
    answered(source)
    cli("run", source, "-o", out)
    assert "smart" in jsonl(out)[1]["error"]["message"]


def test_running_again_submits_nothing_and_writes_the_same(cli, prompts, out, answered, store, tmp_path) -> None:
    source = prompts("one", "? bad", "three")
    answered(source)
    cli("run", source, "-o", out)
    again = tmp_path / "again.jsonl"
    cli("run", source, "-o", again)
    assert again.read_bytes() == out.read_bytes()
    assert store.read(count_jobs, JobFilter()) == 2


def test_a_fresh_run_makes_new_jobs_and_the_next_run_goes_on_with_those(cli, prompts, out, answered, store) -> None:
    source = prompts("one", "two")
    answered(source)
    answered(source, "--fresh")
    assert store.read(count_jobs, JobFilter()) == 4
    assert cli("run", source, "-o", out).status == 0
    assert store.read(count_jobs, JobFilter()) == 4
    newest = cli("batch", "list", "--json").json["batches"][0]["id"]
    assert {job["batch"] for job in map(job_of(cli), jsonl(out))} == {newest}


def job_of(cli):
    return lambda line: cli("job", "show", line["id"], "--json").json


def test_another_model_is_another_run(cli, tmp_path, store) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "one"}\n')
    cli("submit", source, "--model", "smart")
    cli("submit", source, "--model", "openai/gpt-5.4")
    assert store.read(count_jobs, JobFilter()) == 2


def test_a_line_mended_in_the_configuration_joins_the_same_run(cli, prompts, out, worker, settings, store) -> None:
    source = prompts('{"model": "quick", "prompt": "first"}', "second")
    assert cli("submit", source).status == 3
    file = settings.source
    file.write_text(file.read_text() + '[models.quick]\nroutes = [{ provider = "openai", model = "gpt-5.4-mini" }]\n')
    cli("submit", source)
    worker.answer()
    worker.answer("quick.batch")
    assert cli("run", source, "-o", out).status == 0
    assert [line["reply"]["text"] for line in jsonl(out)] == ["FIRST", "SECOND"]
    assert store.read(count_jobs, JobFilter()) == 2


def test_dead_lines_say_what_they_died_of(cli, prompts, out, worker) -> None:
    source = prompts("one", "two")
    cli("submit", source)
    worker.answer(jobs=1)
    worker.bury()
    ended = cli("run", source, "-o", out)
    assert ended.status == 3
    assert jsonl(out)[1]["error"]["kind"] == "invalid_request"


def test_a_line_whose_dead_letter_was_dropped_is_done_anew(cli, prompts, out, worker) -> None:
    source = prompts("one", "two", "three")
    cli("submit", source)
    worker.bury()
    cli("dlq", "drop", "--all", "--yes")
    cli("submit", source)
    worker.answer()
    assert cli("run", source, "-o", out).status == 0
    assert len(jsonl(out)) == 3


def test_a_job_dropped_during_the_run_leaves_a_line_that_says_so(cli, prompts, out, worker, settings) -> None:
    batch = cli("submit", prompts("one", "two", "three"), "--json").json["batch"]
    worker.answer(jobs=1)
    worker.bury(jobs=1)
    worker.answer()
    cli("dlq", "drop", "--all", "--yes")
    totals = OutputTotals()
    with answer_file(out) as output:
        list(collect(LocalBackend(Installation(settings)), Upload(batch, jobs=3), output, totals))
    assert [line["status"] for line in jsonl(out)] == ["succeeded", "dead", "succeeded"]
    assert (totals.succeeded, dict(totals.errors)) == (2, {"dropped": 1})


def test_the_output_appears_whole_or_not_at_all(cli, prompts, out, answered, tmp_path) -> None:
    source = prompts("one")
    answered(source)
    out.write_text("what was there before\n")
    cli("run", source, "-o", out)
    assert len(jsonl(out)) == 1
    assert sorted(path.name for path in tmp_path.glob("*.jsonl*")) == ["in.jsonl", "out.jsonl"]


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_submitted(cli, prompts, store) -> None:
    ended = cli("run", prompts("one"), "-o", "no/such/folder/out.jsonl")
    assert ended.status == 2
    assert "no/such/folder" in ended.err
    assert store.read(count_jobs, JobFilter()) == 0


def test_the_input_is_never_overwritten(cli, prompts) -> None:
    source = prompts("one")
    assert cli("run", source, "-o", source).status == 2
    assert "one" in source.read_text()


def test_an_input_that_is_not_there_is_named(cli, tmp_path) -> None:
    ended = cli("run", "nothing.jsonl", "-o", tmp_path / "out.jsonl")
    assert ended.status == 2
    assert "nothing.jsonl" in ended.err


def test_standard_input_and_output_are_dashes(cli, prompts, worker) -> None:
    text = prompts("one", "two").read_text()
    cli("submit", "-", stdin=text)
    worker.answer()
    ended = cli("run", "-", "-o", "-", stdin=text)
    assert [json.loads(line)["reply"]["text"] for line in ended.out.splitlines()] == ["ONE", "TWO"]


def test_an_empty_input_has_an_empty_output(cli, prompts, out) -> None:
    assert cli("run", prompts(), "-o", out).status == 0
    assert out.read_text() == ""


def test_an_input_without_a_good_line_ends_with_status_3(cli, prompts, out) -> None:
    ended = cli("run", prompts("{bad}", "{worse}"), "-o", out)
    assert ended.status == 3
    assert [line["status"] for line in jsonl(out)] == ["invalid", "invalid"]


def test_json_prints_a_summary_on_stdout(cli, prompts, out, answered) -> None:
    source = prompts("one", "? bad")
    answered(source)
    summary = cli("run", source, "-o", out, "--json").json
    assert (summary["lines"], summary["succeeded"], summary["failed"]) == (2, 1, 1)
    assert summary["errors"] == {"invalid_request": 1}
    assert summary["cost_usd"] == pytest.approx(0.00015)


def test_blank_lines_are_passed_over(cli, prompts, out, answered) -> None:
    source = prompts("one")
    source.write_text(f"\n{source.read_text()}\n   \n")
    answered(source)
    assert cli("run", source, "-o", out).status == 0
    assert len(jsonl(out)) == 1


def test_drained_dead_letters_can_be_run_again(cli, prompts, out, worker, tmp_path) -> None:
    source = prompts("one", "two")
    cli("submit", source)
    worker.bury()
    letters = tmp_path / "letters.jsonl"
    assert cli("dlq", "drain", "--all", "--yes", "-o", letters).status == 0
    cli("submit", letters)
    worker.answer()
    assert cli("run", letters, "-o", out).status == 0
    assert sorted(line["reply"]["text"] for line in jsonl(out)) == ["ONE", "TWO"]


def test_submitting_tells_the_batch_and_leaves(cli, prompts, store) -> None:
    answer = cli("submit", prompts("one", "? bad"), "--json")
    assert answer.status == 3
    assert (answer.json["jobs"], answer.json["invalid"]) == (1, 1)
    assert store.read(count_jobs, JobFilter(states=frozenset({State.QUEUED}))) == 1


def test_an_output_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch) -> None:
    """Or a crash of the machine would leave an empty file where a whole one seemed to be."""
    order, synced, moved = list[str](), os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        order.append("synced")
        synced(descriptor)

    def move(part: Path, target: Path) -> Path:
        order.append("moved")
        return moved(part, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", move)
    with answer_file(tmp_path / "out.jsonl") as file:
        file.write(b"{}\n")
    assert order == ["synced", "moved"]


def test_a_device_or_a_pipe_is_written_and_never_replaced(cli, prompts, answered, tmp_path) -> None:
    source, pipe = prompts("one"), tmp_path / "pipe"
    answered(source)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert cli("run", source, "-o", pipe).status == 0
    assert json.loads(os.read(reader, 100_000))["reply"]["text"] == "ONE"
    os.close(reader)
    assert pipe.is_fifo()
    assert cli("run", source, "-o", "/dev/null").status == 0
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_told_and_loses_nothing(cli, prompts, answered) -> None:
    source = prompts("one")
    answered(source)
    ended = cli("run", source, "-o", "/dev/full")
    assert ended.status == 1
    assert "/dev/full: it cannot be written: No space left on device" in ended.err
    assert "nothing is paid twice" in ended.err
    assert Path("/dev/full").is_char_device()


def test_an_empty_input_is_nothing_to_do(cli, tmp_path) -> None:
    (tmp_path / "in.jsonl").write_text("\n")
    ended = cli("run", "in.jsonl", "-o", "out.jsonl")
    assert ended.status == 0
    assert "in.jsonl holds no line: there is nothing to do" in ended.err
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_failures_are_told_by_cause_with_the_next_command(cli, prompts, worker, out) -> None:
    source = prompts("one", "two", "? no json")
    batch = cli("submit", source, "--json").json["batch"]
    worker.bury(jobs=1)
    worker.answer()
    ended = cli("run", source, "-o", out)
    assert ended.status == 3
    said = ended.err.splitlines()
    assert said[-5].startswith("1 of 3 lines succeeded")
    assert said[-4] == "1 line cannot be a job: mend as said above and run again"
    assert said[-3] == "1 failed: invalid request"
    assert f"`holdfast dlq groups --batch {batch}`" in said[-2]
    assert f"`holdfast dlq replay --batch {batch} --all`" in said[-1]
    quiet = cli("run", source, "-o", out, "--quiet")
    assert quiet.err.splitlines()[-5:] == said[-5:]
