"""A job whose need the configuration can no longer meet says so, and what to do: else it would wait without a word."""

import pytest

from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.submit_request import SubmitRequest
from holdfast.config import load
from producing import CONFIG, NOBODY, StandInWorker

ANTHROPIC = '  { provider = "anthropic", model = "claude-opus-4-8", price = { input = 5.0, output = 25.0 } },\n'
OPENAI = '  { provider = "openai", model = "gpt-5.4" },\n'
KEY = 'base_url = "http://127.0.0.1:9/v1"'
WHOLE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
         "body": {"model": "smart", "messages": [{"role": "user", "content": "hi"}]}}  # fmt: skip


@pytest.fixture
def waiting(tmp_path):
    """Submit a line, change the configuration, and return what an operator of it is told: the job, and `status`."""
    opened = []

    def backend(old="", new="") -> LocalBackend:
        file, text = tmp_path / "holdfast.toml", CONFIG.format(directory=tmp_path, redis_url=NOBODY)
        assert old in text
        file.write_text(text.replace(old, new) if old else text)
        opened.append(Installation(load(file, {})))
        return LocalBackend(opened[-1], tenant=None)

    def told(line, *change):
        before = backend()
        StandInWorker(before.installation.ready())
        job = before.submit(SubmitRequest([line])).jobs[0].id
        after = backend(*change)
        return after.job(job)["why_waiting"], [text for text in after.status()["warnings"] if job in text]

    yield told
    for installation in opened:
        installation.close()


def test_a_model_that_is_no_longer_offered(waiting) -> None:
    why, status = waiting({"prompt": "hi", "model": "smart"}, "[models.smart]", "[models.clever]")
    assert why == (
        "needs model 'smart'; no route of the configuration has it; "
        "change `[models]` in the configuration, or cancel the job"
    )
    assert len(status) == 1
    assert status[0].endswith(why)


def test_a_request_that_only_a_removed_route_could_carry(waiting) -> None:
    rerank = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {"model": "smart", "input": "hi"}}
    why, status = waiting(rerank, OPENAI)
    assert "no route of 'smart' can: " in why
    assert status[0].endswith(why)


def test_a_line_that_may_go_to_its_own_format_only(waiting) -> None:
    why, status = waiting({**WHOLE, "mapping": "never"}, OPENAI)
    assert why.startswith("needs another route; no route of 'smart' can take it any more (anthropic/claude-opus-4-8 ")
    assert status[0].endswith(why)


def test_a_maximum_that_no_limit_admits_any_more(waiting) -> None:
    why, _ = waiting(
        {"prompt": "hi", "model": "openai/gpt-5.4", "max_tokens": 100_000},
        KEY,
        KEY + "\nlimits = { output_tokens_per_minute = 1000 }",
    )
    assert "100,000 tokens are more than any route of 'openai/gpt-5.4' may take in a minute" in why
    assert why.endswith("or cancel the job")


def test_a_job_that_can_be_run_says_nothing_of_the_kind(waiting) -> None:
    why, status = waiting({"prompt": "hi", "model": "smart"}, ANTHROPIC)
    assert "needs" not in (why or "")
    assert status == []
