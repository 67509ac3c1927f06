"""Submitting writes jobs to SQL and returns: all of them or none, once each, with no Redis and no provider in sight."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.client import Holdfast, InvalidJobs, PartlySubmitted, submission
from holdfast.client.installation import Installation
from holdfast.client.submission import CHUNK
from holdfast.client.submit_request import SubmitRequest
from holdfast.model.errors import Conflict, StorageUnavailable
from holdfast.model.job import Priority, State
from holdfast.model.records import JobFilter
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.store.batches import list_batches
from holdfast.store.jobs import count_jobs, find_detail, find_job, read_states
from holdfast.store.submit import submit_jobs
from producing import NOBODY, StandInWorker

HELLO = Request(turns=(Turn(role=Role.USER, parts=(Text(text="hello"),)),), max_tokens=50)


def test_a_prompt_a_dict_and_a_request_are_all_jobs(hf: Holdfast, installation: Installation) -> None:
    batch = hf.submit(["hello", {"prompt": "hello", "max_tokens": 50}, HELLO], model="smart")
    requests = [installation.store.read(find_detail, job.inner).request for job in batch.jobs]
    assert [request.turns for request in requests] == [HELLO.turns] * 3
    assert [request.max_tokens for request in requests] == [None, 50, 50]


def test_openai_and_anthropic_lines_are_jobs_too(hf: Holdfast, installation: Installation) -> None:
    turns = [{"role": "user", "content": "hello"}]
    openai = {
        "custom_id": "o",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "smart", "messages": turns},
    }
    anthropic = {"custom_id": "a", "params": {"model": "smart", "max_tokens": 50, "messages": turns}}
    batch = hf.submit([openai, anthropic])
    jobs = [installation.store.read(find_detail, job.inner) for job in batch.jobs]
    assert [(job.job.custom_id, job.request.turns) for job in jobs] == [("o", HELLO.turns), ("a", HELLO.turns)]


def test_what_a_job_says_goes_before_what_the_submit_says(hf: Holdfast, installation: Installation) -> None:
    own = {"prompt": "a", "model": "openai/gpt-5.4", "priority": "interactive", "expires_in": 60}
    batch = hf.submit([own, "b"], model="smart", priority="batch", expires_in=3600)
    first, second = (installation.store.read(find_job, job.inner) for job in batch.jobs)
    assert (first.lane, second.lane) == ("openai/gpt-5.4.interactive", "smart.batch")
    assert first.expires_at - first.created_at == pytest.approx(60)
    assert second.expires_at - second.created_at == pytest.approx(3600)


def test_a_batch_larger_than_one_transaction_keeps_its_order(hf: Holdfast) -> None:
    batch = hf.submit([f"prompt {n}" for n in range(CHUNK + 5)], model="smart", name="nightly")
    assert batch.counts() == {State.QUEUED: CHUNK + 5}
    assert [job.inner for job in batch.jobs] == sorted(job.inner for job in batch.jobs)


def test_every_problem_is_named_and_nothing_is_taken(hf: Holdfast, installation: Installation) -> None:
    with pytest.raises(InvalidJobs) as caught:
        hf.submit(["good", {"max_tokens": 5}, {"prompt": "x", "model": "smrt"}, 7], model="smart")
    assert [problem.index for problem in caught.value.problems] == [1, 2, 3]
    assert "Did you mean smart?" in str(caught.value)
    assert str(caught.value).endswith("Nothing was submitted.")
    assert installation.ready().read(count_jobs, JobFilter()) == 0


def test_a_job_without_a_model_says_what_to_do(hf: Holdfast) -> None:
    with pytest.raises(InvalidJobs, match="model"):
        hf.submit("hello")


def test_the_same_key_finds_the_same_job(hf: Holdfast) -> None:
    first = hf.submit("hello", model="smart", idempotency_key="k")
    assert hf.submit("hello", model="smart", idempotency_key="k").id == first.id


def test_the_same_key_finds_the_same_batch(hf: Holdfast, installation: Installation) -> None:
    prompts = [f"prompt {n}" for n in range(CHUNK + 5)]
    first = hf.submit(prompts, model="smart", idempotency_key="k")
    again = hf.submit(prompts, model="smart", idempotency_key="k")
    assert (again.id, [job.id for job in again.jobs]) == (first.id, [job.id for job in first.jobs])
    assert len(installation.store.read(list_batches)) == 1


def test_the_same_key_for_another_job_is_a_conflict(hf: Holdfast) -> None:
    hf.submit("hello", model="smart", idempotency_key="k")
    with pytest.raises(Conflict, match="another request"):
        hf.submit("goodbye", model="smart", idempotency_key="k")


def test_a_big_submit_that_broke_off_goes_on_with_its_key(hf: Holdfast, monkeypatch) -> None:
    prompts, sizes = [f"prompt {n}" for n in range(CHUNK * 2)], []

    def breaks_off(store, jobs):
        sizes.append(len(jobs))
        if sum(sizes) > CHUNK + 1:
            raise StorageUnavailable("sqlite:///x", "disk full")
        return submit_jobs(store, jobs)

    monkeypatch.setattr(submission, "submit_jobs", breaks_off)
    with pytest.raises(PartlySubmitted, match=f"{CHUNK + 1} of {CHUNK * 2} jobs are accepted in batch_"):
        hf.submit(prompts, model="smart", idempotency_key="k")
    monkeypatch.undo()
    batch = hf.submit(prompts, model="smart", idempotency_key="k")
    assert batch.counts() == {State.QUEUED: CHUNK * 2}


def test_an_empty_batch_is_a_batch_at_rest(hf: Holdfast) -> None:
    batch = hf.submit([], model="smart")
    assert list(batch.results(timeout=120)) == []


def test_more_jobs_can_join_a_batch(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(["a", "b"], model="smart")
    hf.backend.submit(SubmitRequest([{"prompt": "c", "model": "smart"}], many=True, batch=batch.id, first=2))
    worker.answer()
    assert [answer.text for answer in batch.results(timeout=120)] == ["A", "B", "C"]


def test_redis_does_not_have_to_be_there(hf: Holdfast, installation: Installation) -> None:
    assert installation.settings.storage.redis_url == NOBODY
    job = hf.submit("hello", model="smart", priority=Priority.INTERACTIVE)
    installation.offers.flush()
    assert installation.store.read(read_states, [job.inner]) == {job.inner: State.QUEUED}


def test_a_drained_letter_can_be_submitted_again(hf: Holdfast, installation: Installation) -> None:
    letter = {"request": HELLO.model_dump(mode="json"), "model": "smart", "custom_id": "a", "letter": {"kind": "auth"}}
    job = hf.submit(letter)
    assert installation.store.read(find_detail, job.inner).request == HELLO


@pytest.mark.parametrize("odd", [{"prompt": {"set"}}, {1: "key"}, {"prompt": "half a \ud800 character"}, "\ud800"])
def test_what_json_cannot_hold_is_refused(hf: Holdfast, odd) -> None:
    with pytest.raises(InvalidJobs, match="cannot be written as JSON"):
        hf.submit(odd, model="smart")


@pytest.mark.parametrize("start", ["2h", 7200, timedelta(hours=2), datetime(2099, 1, 1, tzinfo=UTC), "2099-01-01"])
def test_jobs_may_be_for_later(hf: Holdfast, installation: Installation, start) -> None:
    job = hf.submit("a", model="smart", not_before=start)
    found = installation.store.read(find_job, job.inner)
    assert (found.state, found.not_before) == (State.DELAYED, found.available_at)
    assert job.cancel() is State.CANCELLED
    with pytest.raises(ValueError, match="not_before: expected a date"):
        hf.submit("a", model="smart", not_before="tomorrow")
