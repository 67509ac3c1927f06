"""With ``url`` the same client speaks to a server, and means the same."""

import httpx2
import pytest

from holdfast.client import Holdfast, InvalidJobs, ServerUnavailable, api_connection, http
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.errors import NotHoldfast
from holdfast.client.http import MOST_BYTES, MOST_JOBS, HttpBackend, parts
from holdfast.client.installation import Installation
from holdfast.client.submit_request import SubmitRequest
from holdfast.config import Settings
from holdfast.model.errors import Conflict, NotFound
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.model.request import Request, Role, Text, Turn
from producing import StandInWorker, served


@pytest.fixture
def url(settings: Settings):
    with served(settings) as address:
        yield address


@pytest.fixture
def hf(url: str):
    with Holdfast(url=url) as holdfast:
        yield holdfast


@pytest.fixture
def worker(settings: Settings):
    installation = Installation(settings)
    yield StandInWorker(installation.ready())
    installation.close()


def test_a_pipeline_reads_the_same(hf: Holdfast, worker: StandInWorker, monkeypatch) -> None:
    monkeypatch.setattr(http, "MOST_JOBS", 2)  # so that a batch takes several requests
    request = Request(turns=(Turn(role=Role.USER, parts=(Text(text="d"),)),))
    batch = hf.submit(["a", {"prompt": "b", "custom_id": "second"}, "c", request, "e"], model="smart")
    assert batch.counts()[State.QUEUED] == 5
    worker.answer()
    answers = list(batch.results(timeout=120))
    assert [answer.text for answer in answers] == ["A", "B", "C", "D", "E"]
    assert answers[1].custom_id == "second"
    assert answers[0].line == batch.jobs[0].wait(120).line
    assert batch.wait(120)[State.SUCCEEDED] == 5


def test_one_job_waits_cancels_and_is_found_again(hf: Holdfast) -> None:
    job = hf.submit("a", model="smart", idempotency_key="k")
    assert hf.submit("a", model="smart", idempotency_key="k").id == job.id
    assert job.result() is None
    assert job.cancel() is State.CANCELLED
    assert job.wait(120).error.kind == "cancelled"


def test_refusals_are_the_errors_that_the_storage_raises(hf: Holdfast) -> None:
    hf.submit("a", model="smart", idempotency_key="k")
    with pytest.raises(Conflict, match="another request"):
        hf.submit("b", model="smart", idempotency_key="k")
    with pytest.raises(InvalidJobs, match="Did you mean smart"):
        hf.submit(["a", "b"], model="smrt")
    with pytest.raises(NotFound, match="there is no job"):
        hf.result("job_" + "0" * 32)
    with pytest.raises(NotFound, match="there is no batch"):
        hf.batch("batch_" + "0" * 32).counts()


def test_a_bad_item_is_found_before_anything_is_sent() -> None:
    with Holdfast(url="http://127.0.0.1:1") as hf, pytest.raises(InvalidJobs, match=r"jobs\[1\]"):
        hf.submit(["a", {"max_tokens": 5}], model="smart")


def test_nobody_there_says_where_and_what_to_do(monkeypatch) -> None:
    monkeypatch.setattr(api_connection, "PAUSE", 0.001)
    with (
        Holdfast(url="http://127.0.0.1:1") as hf,
        pytest.raises(ServerUnavailable, match=r"http://127.0.0.1:1 .* `holdfast up`"),
    ):
        hf.submit("a", model="smart")


def test_a_submit_is_sent_again_with_the_same_key_where_the_server_was_away(monkeypatch) -> None:
    monkeypatch.setattr(api_connection, "PAUSE", 0.001)
    keys, job = [], {"id": "job_" + "0" * 32, "status": "queued", "created": True}

    def answer(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            raise httpx2.ReadError("cut")
        if len(keys) == 2:
            return httpx2.Response(503, json={"detail": "the database did not answer"})
        return httpx2.Response(202, json={"batch": None, "jobs": [job]})

    backend = HttpBackend.of_server("http://example.org", transport=httpx2.MockTransport(answer))
    assert backend.submit(SubmitRequest([{"model": "smart", "prompt": "a"}])).jobs[0].id == "job_" + "0" * 32
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_json_that_is_no_problem_document_is_somebody_elses_and_shown_as_it_is() -> None:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(418, json="I am a teapot"))
    with pytest.raises(NotHoldfast, match='HTTP 418: "I am a teapot"'):
        HttpBackend.of_server("http://example.org", transport=transport).cancel("0" * 32)


def test_what_does_not_speak_json_is_somebody_elses_server() -> None:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(418, text="I am a teapot"))
    with pytest.raises(NotHoldfast, match=r"http://example.org is no Holdfast server"):
        HttpBackend.of_server("http://example.org", transport=transport).cancel("0" * 32)


def test_the_environment_names_a_server(url: str, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_URL", url)
    with Holdfast() as hf:
        assert isinstance(hf.backend, HttpBackend)


def test_of_a_replayed_job_only_the_attempts_since_then_count(hf: Holdfast, worker: StandInWorker) -> None:
    job = hf.submit("hello", model="smart")
    worker.bury()
    assert hf.backend.act(BulkOrder("replay", JobFilter(ids=(job.inner,))), None)["jobs"] == 1
    worker.answer()
    assert (job.wait(60).attempts, len(hf.backend.job(job.id)["attempts"])) == (1, 2)


@pytest.mark.parametrize(
    ("items", "sizes"),
    [
        ([], [0]),  # an empty batch is made, too
        ([b"{}"] * (MOST_JOBS + 1), [MOST_JOBS, 1]),
        ([b"x" * (MOST_BYTES - 2), b"{}", b"{}"], [2, 1]),
        ([b"x" * (MOST_BYTES + 1), b"{}"], [1, 1]),
    ],
)
def test_a_request_holds_as_much_as_a_server_accepts(items: list[bytes], sizes: list[int]) -> None:
    assert [len(part) for part in parts(items)] == sizes
