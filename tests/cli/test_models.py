"""Files of the batch APIs run unmodified: bare model names are found, and one option changes them for all lines."""

import json

import pytest

from cli.conftest import jsonl

MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture
def write(tmp_path):
    def lines(*models: str | None, name: str = "in.jsonl"):
        path = tmp_path / name
        bodies = [{"messages": MESSAGES} | ({"model": model} if model else {}) for model in models]
        texts = [json.dumps({"custom_id": str(n), "body": body}) for n, body in enumerate(bodies)]
        path.write_text("".join(f"{text}\n" for text in texts))
        return path

    return lines


def models_of(cli) -> list[str]:
    return sorted(job["model"] for job in cli("job", "list", "--json").json["jobs"])


def test_a_bare_name_is_the_routes_that_have_it(cli, write, worker, tmp_path) -> None:
    source = write("gpt-5.4", "claude-opus-4-8")
    assert cli("submit", source).status == 0
    (claimed,) = worker.claim("gpt-5.4.batch")
    assert claimed.model == "gpt-5.4"
    worker.finish_with_reply([claimed])
    worker.answer("claude-opus-4-8.batch")
    assert cli("run", source, "-o", tmp_path / "out.jsonl").status == 0


def test_a_bare_name_that_no_route_has_goes_to_the_provider_that_makes_it(cli, write) -> None:
    assert cli("submit", write("gpt-4o-mini", "claude-haiku-4-5")).status == 0
    assert models_of(cli) == ["claude-haiku-4-5", "gpt-4o-mini"]


def test_a_model_that_nobody_has_is_one_message_and_status_2(cli, write, tmp_path) -> None:
    ended = cli("run", write(*["llama-99"] * 2_000), "-o", tmp_path / "out.jsonl")
    assert ended.status == 2
    assert ended.err.count("llama-99") == 1
    assert "--model" in ended.err
    assert "--map OLD=NEW" in ended.err
    assert cli("job", "list", "--json").json["jobs"] == []


def test_the_same_mistake_in_many_lines_beside_good_ones_is_told_once(cli, write) -> None:
    ended = cli("submit", write("smart", *["llama-99"] * 50))
    assert ended.status == 3
    assert "line 2: model: there is no model 'llama-99'" in ended.err
    assert "(so 49 more lines, the next 3)" in ended.err
    assert ended.err.count("llama-99") == 1


def test_model_overrides_what_lines_say_with_one_notice(cli, write, worker) -> None:
    ended = cli("submit", write("llama-99", "llama-99", "gpt-3.5", None), "--model", "smart")
    assert ended.status == 0
    assert "the lines name llama-99 (2 lines), gpt-3.5 (1 line); --model or --map replaces that" in ended.err
    assert models_of(cli) == ["smart"] * 4
    bodies = [json.loads(claimed.request.written.body).get("model") for claimed in worker.claim()]
    assert bodies == ["llama-99", "llama-99", "gpt-3.5", None], "the body stays as it was written"


def test_map_replaces_some_models_and_leaves_the_others(cli, write) -> None:
    ended = cli("submit", write("llama-99", "gpt-5.4"), "--map", "llama-99=smart")
    assert ended.status == 0
    assert models_of(cli) == ["gpt-5.4", "smart"]


def test_another_mapping_is_another_run(cli, write) -> None:
    source = write("llama-99")
    cli("submit", source, "--map", "llama-99=smart")
    cli("submit", source, "--map", "llama-99=gpt-5.4")
    assert models_of(cli) == ["gpt-5.4", "smart"]


def test_a_mapping_that_is_none_is_refused(cli, write) -> None:
    ended = cli("submit", write("smart"), "--map", "llama-99")
    assert (ended.status, "expected OLD=NEW, got 'llama-99'" in ended.err) == (2, True)


class TestCollecting:
    def test_submit_says_how_to_collect_and_that_works(self, cli, write, worker, tmp_path) -> None:
        submitted, out = cli("submit", write("smart", "smart")), tmp_path / "out.jsonl"
        batch = submitted.out.partition(":")[0]
        assert f"`holdfast batch results {batch} -o OUT.jsonl`" in submitted.err
        worker.answer()
        assert cli("batch", "wait", batch).status == 0
        assert cli("batch", "results", batch, "-o", out).status == 0
        assert [line["custom_id"] for line in jsonl(out)] == ["0", "1"]
        assert all("response" in line for line in jsonl(out))

    def test_what_has_ended_can_be_collected_before_the_rest(self, cli, write, worker, tmp_path) -> None:
        batch, out = cli("submit", write("smart", "smart"), "--json").json["batch"], tmp_path / "out.jsonl"
        worker.answer(jobs=1)
        ended = cli("batch", "results", batch, "-o", out, "--output", "plain")
        assert (ended.status, len(jsonl(out))) == (75, 1)
        assert f"1 jobs have not ended: `holdfast batch wait {batch}`" in ended.err
        assert jsonl(out)[0]["reply"]["text"] == "HELLO"

    def test_lines_that_failed_are_status_3(self, cli, write, worker, tmp_path) -> None:
        batch = cli("submit", write("smart"), "--json").json["batch"]
        worker.bury()
        assert cli("batch", "results", batch, "-o", "-").status == 3

    def test_waiting_can_be_given_up(self, cli, write) -> None:
        batch = cli("submit", write("smart"), "--json").json["batch"]
        assert cli("batch", "wait", batch, "--timeout", "0").status == 75

    def test_a_finished_file_says_that_nothing_is_paid_again(self, cli, write, worker, tmp_path) -> None:
        source = write("smart", "smart")
        cli("submit", source)
        worker.answer()
        ended = cli("run", source, "-o", tmp_path / "out.jsonl")
        assert "nothing new, nothing paid: all 2 jobs of this input had ended before" in ended.err
