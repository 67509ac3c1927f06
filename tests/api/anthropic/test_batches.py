"""Message batches through Anthropic's SDK: every request gets a result of its own, and one batch stays one."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import anthropic
import httpx2
import orjson
import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from api.anthropic.conftest import BATCH
from api.keys import add_key
from holdfast.api.anthropic import batch_creation
from holdfast.model.records import JobFilter
from holdfast.store import Store
from holdfast.store.jobs import find_detail, list_jobs
from producing import StandInWorker

DEADLINE = 20.0  # seconds that a test waits for what comes at once


def request(name: str, said: str = "hello", **params: Any) -> dict[str, Any]:
    asked = {"model": "smart", "max_tokens": 50, "messages": [{"role": "user", "content": said}]}
    return {"custom_id": name, "params": asked | params}


class Batches:
    """The batches of one client."""

    def __init__(self, client: anthropic.Anthropic, store: Store) -> None:
        self.api, self._store = client.messages.batches, store

    def create(self, *requests: dict[str, Any], **how: Any) -> str:
        """Create a batch, and wait until all of its requests have been read."""
        id_ = self.api.create(requests=list(requests), **how).id
        self.until(id_, lambda batch: batch.request_counts.errored + len(self.jobs(id_)) == len(requests))
        return id_

    def until(self, id_: str, is_so: Callable[[MessageBatch], bool]) -> MessageBatch:
        end = time.monotonic() + DEADLINE
        while not is_so(batch := self.api.retrieve(id_)):
            assert time.monotonic() < end, batch
        return batch

    def jobs(self, id_: str) -> list[Any]:
        return self._store.read(list_jobs, JobFilter(batch=id_.removeprefix("msgbatch_")), 1_000)

    def results(self, id_: str) -> dict[str, MessageBatchIndividualResponse]:
        return {each.custom_id: each for each in self.api.results(id_)}

    def counts(self, id_: str) -> dict[str, int]:
        return {name: count for name, count in self.api.retrieve(id_).request_counts.to_dict().items() if count}


@pytest.fixture
def batches(client: anthropic.Anthropic, store: Store) -> Batches:
    return Batches(client, store)


def test_a_batch_runs_from_its_creation_to_its_results(batches, worker: StandInWorker) -> None:
    id_ = batches.create(*(request(f"r{n}", f"say {n}") for n in range(5)))
    begun = batches.api.retrieve(id_)
    assert (begun.type, begun.processing_status, begun.results_url) == ("message_batch", "in_progress", None)
    assert (begun.expires_at - begun.created_at).total_seconds() == 24 * 3600
    worker.answer(BATCH, 2)
    assert batches.counts(id_) == {"processing": 3, "succeeded": 2}
    worker.answer(BATCH)
    ended = batches.api.retrieve(id_)
    assert (ended.processing_status, batches.counts(id_)) == ("ended", {"succeeded": 5})
    assert ended.ended_at is not None
    results = batches.results(id_)
    assert {name: each.result.message.content[0].text for name, each in results.items()} == {
        f"r{n}": f"SAY {n}" for n in range(5)
    }
    assert results["r1"].to_dict()["holdfast"]["route"] == "anthropic/claude-opus-4-8"


async def test_the_asynchronous_client_reads_results_too(url, batches, worker: StandInWorker) -> None:
    id_ = batches.create(request("a"))
    worker.answer(BATCH)
    async with anthropic.AsyncAnthropic(base_url=url, api_key="none", timeout=20) as client:
        found = [each.custom_id async for each in await client.messages.batches.results(id_)]
        assert [each.id async for each in client.messages.batches.list()] == [id_]
    assert found == ["a"]


def test_a_request_that_is_wrong_costs_only_itself(batches, worker: StandInWorker) -> None:
    unstorable = request("nul") | {"metadata": {"label": "a\0b"}}
    unknown = request("soon") | {"priority": "soon"}
    id_ = batches.create(
        request("good"), request("no-model", model="smrt"), request("no-turns", messages=[]), unstorable, unknown
    )
    worker.answer(BATCH)
    assert batches.counts(id_) == {"succeeded": 1, "errored": 4}
    results = batches.results(id_)
    assert results.pop("good").result.type == "succeeded"
    errors = {name: each.result.error.error for name, each in results.items()}
    assert {name: error.type for name, error in errors.items()} == {
        "no-model": "not_found_error", "no-turns": "invalid_request_error", "nul": "invalid_request_error",
        "soon": "invalid_request_error",
    }  # fmt: skip
    assert errors["no-turns"].message == "messages: is missing or empty."


def test_every_end_has_its_own_type_of_result(batches, worker: StandInWorker) -> None:
    own = b'{"type":"error","error":{"type":"invalid_request_error","message":"too odd"},"request_id":"req_2"}'
    id_ = batches.create(*(request(name) for name in ("fine", "odd", "stopped")))
    worker.answer(BATCH, 1)
    worker.bury(BATCH, 1, own)
    assert batches.api.cancel(id_).cancel_initiated_at is not None
    assert batches.counts(id_) == {"succeeded": 1, "errored": 1, "canceled": 1}
    results = batches.results(id_)
    assert [results[name].result.type for name in ("fine", "odd", "stopped")] == ["succeeded", "errored", "canceled"]
    assert results["odd"].result.error.to_dict() == orjson.loads(own)


def test_a_batch_that_has_not_ended_has_no_results_and_cannot_be_deleted(batches) -> None:
    id_ = batches.create(request("a"))
    with pytest.raises(anthropic.AnthropicError, match="in_progress"):
        batches.api.results(id_)
    with pytest.raises(anthropic.BadRequestError, match="has not ended"):
        batches.api.delete(id_)


def test_a_deleted_batch_is_gone(batches, worker: StandInWorker) -> None:
    id_ = batches.create(request("a"))
    worker.answer(BATCH)
    url = batches.api.retrieve(id_).results_url
    assert batches.api.delete(id_).type == "message_batch_deleted"
    for look in (batches.api.retrieve, batches.api.cancel, batches.api.delete):
        with pytest.raises(anthropic.NotFoundError):
            look(id_)
    with pytest.raises(anthropic.NotFoundError):
        batches.api._client.get(url, cast_to=object)
    assert list(batches.api.list()) == []


def test_pages_go_both_ways(batches) -> None:
    made = [batches.create(request("a")) for _ in range(5)][::-1]
    assert [each.id for each in batches.api.list(limit=2)] == made  # the SDK asks for page after page
    page = batches.api.list(limit=2, before_id=made[3])
    assert ([each.id for each in page.data], page.has_more) == (made[1:3], True)
    assert (page.first_id, page.last_id) == (made[1], made[2])
    assert [each.id for each in batches.api.list(limit=2, after_id=made[3]).data] == made[4:]


@pytest.mark.parametrize(
    ("requests", "says"),
    [
        ([request("a"), request("b"), request("a")], "requests.2.custom_id: a is the custom_id of an earlier"),
        ([], "expected 1 to 100,000 requests"),
        ([{"params": {}}], "requests.0.custom_id: Field required"),
    ],
)
def test_what_is_wrong_with_a_batch_refuses_it_whole(batches, store, requests, says) -> None:
    with pytest.raises(anthropic.BadRequestError, match=says):
        batches.api.create(requests=requests)
    assert list(batches.api.list()) == []
    assert kept(store) == 0


def kept(store) -> int:
    """Chunks of files that are kept."""
    return store.read(lambda tx: tx.connection.exec_driver_sql("select count(*) from file_chunk").scalar_one())


def test_betas_of_a_batch_travel_with_every_request_but_those_of_batches_themselves(client, batches, store) -> None:
    made = client.beta.messages.batches.create(
        requests=[request("a"), request("b", betas=["own-1"])], betas=["message-batches-2024-09-24", "one-1"]
    )
    batches.until(made.id, lambda _: len(batches.jobs(made.id)) == 2)
    headers = {job.custom_id: store.read(find_detail, job.id).request.written.headers for job in batches.jobs(made.id)}
    assert headers["a"]["anthropic-beta"] == "one-1"
    assert set(headers["b"]["anthropic-beta"].split(",")) == {"own-1", "one-1"}
    assert kept(store) == 0  # it is read, and nobody else needs it


def test_a_creation_that_is_repeated_finds_its_batch(client, batches, monkeypatch) -> None:
    """The first answer does not come before the SDK has given up and sent the same again."""
    sent, again, opened = list[str](), Event(), batch_creation.find_or_open

    def hear(request: httpx2.Request) -> None:
        sent.append(request.headers["x-stainless-retry-count"])
        if len(sent) > 1:
            again.set()

    def answered_late(context: Any, creation: Any) -> Any:
        order = opened(context, creation)
        again.wait(DEADLINE)
        return order

    monkeypatch.setattr(batch_creation, "find_or_open", answered_late)
    impatient = client.with_options(max_retries=6, timeout=0.5)
    impatient._client.event_hooks["request"].append(hear)
    made = impatient.messages.batches.create(requests=[request("a"), request("b")])
    assert sent[:2] == ["0", "1"]
    assert [each.id for each in batches.api.list()] == [made.id]
    batches.until(made.id, lambda _: len(batches.jobs(made.id)) == 2)


def test_the_same_batch_created_twice_on_purpose_is_two(batches) -> None:
    assert batches.create(request("a")) != batches.create(request("a"))


def test_an_idempotency_key_names_a_creation(batches) -> None:
    keyed = {"extra_headers": {"Idempotency-Key": "k-1"}}
    assert batches.create(request("a"), **keyed) == batches.create(request("a"), **keyed)
    with pytest.raises(anthropic.BadRequestError, match="another request"):
        batches.create(request("b"), **keyed)


def test_requests_that_are_read_after_a_cancellation_are_cancelled(batches, client) -> None:
    """The batch is large enough that its cancellation comes while it is being read."""
    made = client.messages.batches.create(requests=[request(f"r{n}") for n in range(1_500)])
    client.messages.batches.cancel(made.id)
    ended = batches.until(made.id, lambda batch: batch.processing_status == "ended")
    assert (ended.request_counts.canceled, ended.request_counts.processing) == (1_500, 0)
    assert {each.result.type for each in batches.results(made.id).values()} == {"canceled"}


def test_jobs_of_a_batch_expire_with_it(batches) -> None:
    (job,) = batches.jobs(batches.create(request("a")))
    assert 24 * 3600 - 60 < job.expires_at - job.created_at <= 24 * 3600


def test_a_key_of_another_tenant_sees_no_batch(url, store, worker: StandInWorker) -> None:
    ours, theirs = (
        Batches(anthropic.Anthropic(base_url=url, api_key=add_key(store, name), max_retries=0), store)
        for name in ("ours", "theirs")
    )
    id_ = ours.create(request("a"))
    worker.answer(BATCH)
    url_of_results = ours.api.retrieve(id_).results_url
    for look in (theirs.api.retrieve, theirs.api.cancel, theirs.api.delete):
        with pytest.raises(anthropic.NotFoundError):
            look(id_)
    with pytest.raises(anthropic.NotFoundError):
        theirs.api._client.get(url_of_results, cast_to=object)
    assert list(theirs.api.list(after_id="msgbatch_" + "f" * 32)) == []
    assert list(ours.results(id_)) == ["a"]
