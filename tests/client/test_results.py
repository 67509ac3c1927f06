"""Answers come back in input order or as they come, and a wait ends with an answer or with the caller's patience."""

from threading import Thread

import pytest

from holdfast.client import Answer, Holdfast, JobFailed, StillWaiting, waiting
from holdfast.model.errors import NotFound, StorageUnavailable
from holdfast.model.job import State
from producing import StandInWorker

PROMPTS = [f"prompt {n}" for n in range(25)]


def ready(stream: waiting.Stream) -> list[str | None]:
    """Read a stream until it would pause."""
    texts = []
    for step in stream:
        if not isinstance(step, Answer):
            break
        texts.append(step.text)
    return texts


def test_results_are_in_input_order(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(PROMPTS, model="smart")
    worker.answer()
    assert [answer.text for answer in batch.results(timeout=120)] == [prompt.upper() for prompt in PROMPTS]


def test_ordered_results_wait_for_the_first_and_then_flow(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(["a", "b", "c"], model="smart")
    first, *others = worker.claim()
    worker.finish_with_reply(others)
    stream = batch.stream()
    assert ready(stream) == []
    worker.finish_with_reply([first])
    assert [step.text for step in stream if isinstance(step, Answer)] == ["A", "B", "C"]


def test_unordered_results_come_as_they_come_and_once_each(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(["a", "b", "c"], model="smart")
    first, *others = worker.claim()
    worker.finish_with_reply(others)
    stream = batch.stream(ordered=False)
    assert ready(stream) == ["B", "C"]
    worker.finish_with_reply([first])
    assert [step.text for step in stream if isinstance(step, Answer)] == ["A"]


def test_results_come_while_the_batch_runs(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(PROMPTS, model="smart")
    slow = Thread(target=lambda: [worker.answer(jobs=10) for _ in range(3)])
    slow.start()
    assert len(list(batch.results(timeout=120))) == len(PROMPTS)
    slow.join()


def test_a_batch_can_be_taken_up_by_its_id(hf: Holdfast, worker: StandInWorker) -> None:
    name = hf.submit(["a"], model="smart").id
    worker.answer()
    assert [answer.text for answer in hf.results(name, timeout=120)] == ["A"]


def test_a_job_that_died_has_an_error_and_no_text(hf: Holdfast, worker: StandInWorker) -> None:
    job = hf.submit("a", model="smart")
    worker.bury()
    answer = job.wait(120)
    assert (answer.ok, answer.text, answer.status) == (False, None, State.DEAD)
    assert answer.error.kind == "invalid_request"
    with pytest.raises(JobFailed, match="the provider said: no such parameter"):
        answer.required()


def test_ask_goes_ahead_of_batch_work_and_returns_the_reply(hf: Holdfast, worker: StandInWorker) -> None:
    def soon() -> None:
        while not worker.answer("smart.interactive"):
            pass

    thread = Thread(target=soon)
    thread.start()
    assert hf.ask("hello", model="smart", timeout=120).text == "HELLO"
    thread.join()


def test_a_wait_ends_with_the_callers_patience_and_the_job_goes_on(hf: Holdfast) -> None:
    job = hf.submit("a", model="smart")
    with pytest.raises(StillWaiting, match=f"{job.id} has not ended after 0.05 s. It goes on"):
        job.wait(0.05)
    assert job.result() is None
    with pytest.raises(TimeoutError):
        hf.wait(job, 0.01)


def test_waiting_for_a_batch_counts_how_its_jobs_ended(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(["a", "b", "c"], model="smart")
    worker.answer(jobs=1)
    assert batch.jobs[1].cancel() is State.CANCELLED
    worker.bury()
    assert batch.wait(120) == {State.SUCCEEDED: 1, State.CANCELLED: 1, State.DEAD: 1}


def test_cancelling_a_batch_ends_what_has_not_ended(hf: Holdfast, worker: StandInWorker) -> None:
    batch = hf.submit(["a", "b", "c"], model="smart")
    worker.answer(jobs=1)
    assert batch.cancel() == 2
    assert [answer.status for answer in batch.results(timeout=120)][1:] == [State.CANCELLED] * 2


def test_an_unknown_job_is_not_found(hf: Holdfast) -> None:
    with pytest.raises(NotFound, match="there is no job job_"):
        hf.wait("job_" + "0" * 32, 5)


def test_an_answer_that_is_json_can_be_read_as_such(hf: Holdfast, worker: StandInWorker) -> None:
    job = hf.submit('{"a": 1}', model="smart")
    worker.answer()
    assert job.wait(120).json() == {"A": 1}


def test_a_wait_rides_over_a_short_outage_of_the_storage(hf: Holdfast, worker, monkeypatch) -> None:
    job = hf.submit("a", model="smart")
    worker.answer()
    states, failures = hf.backend.states, iter([True, True, False])

    def sometimes_away(ids):
        if next(failures, False):
            raise StorageUnavailable("sqlite:///x", "restarting")
        return states(ids)

    monkeypatch.setattr(hf.backend, "states", sometimes_away)
    assert job.wait(120).text == "A"


def test_a_wait_does_not_ride_over_a_long_outage(hf: Holdfast, monkeypatch) -> None:
    def away(_ids):
        raise StorageUnavailable("sqlite:///x", "gone")

    job = hf.submit("a", model="smart")
    monkeypatch.setattr(hf.backend, "states", away)
    monkeypatch.setattr(waiting, "OUTAGE", 0.0)
    with pytest.raises(StorageUnavailable):
        job.wait(120)
