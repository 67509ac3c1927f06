"""What comes out over HTTP: a batch's results as JSON lines in any form, and a provider's answer as it came."""

import json

import pytest

from cli.test_output_forms import CHAT, CLAUDE, COMPLETION, EMBEDDING, MESSAGE, REPLY, VECTORS
from holdfast.client import Holdfast
from holdfast.client.errors import NoResponse
from holdfast.client.http import HttpBackend
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.output_form import OutputForm
from holdfast.client.submit_request import SubmitRequest
from producing import served

PLAIN = {"custom_id": "p", "model": "smart", "prompt": "hello"}
AS_PAGE = {"Accept": "application/json"}


@pytest.fixture
def batch(api, worker) -> str:
    """Three lines of three forms: OpenAI's was answered by OpenAI, Anthropic's and the plain one by nobody known."""
    answer = api.post("/api/v1/jobs", json={"jobs": [CHAT, CLAUDE, PLAIN]})
    assert answer.status_code == 202, answer.text
    worker.respond(COMPLETION, jobs=1)
    worker.answer()
    return answer.json()["batch"]


def lines(api, batch: str, **query) -> list[bytes]:
    answer = api.get(f"/api/v1/batches/{batch}/results", params=query)
    assert answer.headers["content-type"] == "application/jsonl"
    return answer.content.splitlines()


def test_a_body_posted_over_http_is_kept_byte_for_byte(api, store, worker) -> None:
    body = b'{ "model":"smart", "z":100000000000000000001,"messages":[{"role":"user","content":"\\u00e9"}] }'
    posted = b'{"jobs":[ {"url":"/v1/chat/completions","body":%s} ],"name":"n"}' % body
    assert api.post("/api/v1/jobs", content=posted).status_code == 202
    assert api.post("/api/v1/jobs", content=b'{"url":"/v1/chat/completions","body":%s}' % body).status_code == 202
    assert [claimed.request.written.body for claimed in worker.claim()] == [body, body]


def test_results_are_json_lines_each_in_its_own_form(api, batch) -> None:
    chat, claude, plain = lines(api, batch)
    assert COMPLETION.replace(b"\n", b" ") in chat
    assert json.loads(claude)["result"]["type"] == "succeeded"
    assert json.loads(plain)["reply"]["text"] == "HELLO"


@pytest.mark.parametrize(("output", "key"), [("plain", "reply"), ("openai", "response"), ("anthropic", "result")])
def test_results_come_in_the_form_that_is_asked_for(api, batch, output, key) -> None:
    assert all(key in json.loads(line) for line in lines(api, batch, output=output))


def test_results_go_on_after_a_position_and_stop_at_a_limit(api, batch) -> None:
    everything = lines(api, batch)
    assert lines(api, batch, after=0) == everything[1:]
    assert lines(api, batch, limit=2) == everything[:2]


def test_a_page_says_where_each_line_stands(api, batch) -> None:
    page = api.get(f"/api/v1/batches/{batch}/results", params={"output": "auto", "limit": 2}, headers=AS_PAGE).json()
    assert [(entry["position"], entry["error"]) for entry in page["results"]] == [(0, None), (1, None)]
    assert (page["results"][0]["line"]["custom_id"], page["next"]) == ("a", 1)


def test_results_of_a_batch_that_is_not_there_are_a_problem(api) -> None:
    answer = api.get(f"/api/v1/batches/batch_{'0' * 32}/results")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_form_that_is_none_is_refused(api, batch) -> None:
    assert api.get(f"/api/v1/batches/{batch}/results", params={"output": "csv"}).status_code == 422


class TestResponse:
    def job(self, api, worker, body: bytes) -> str:
        job = api.post("/api/v1/jobs", json=CHAT).json()["id"]
        worker.respond(body)
        return job

    def test_the_body_comes_byte_for_byte(self, api, worker) -> None:
        answer = api.get(f"/api/v1/jobs/{self.job(api, worker, COMPLETION)}/response")
        assert (answer.content, answer.headers["content-type"]) == (COMPLETION, "application/json")
        assert (answer.headers["x-holdfast-status"], answer.headers["x-holdfast-request-id"]) == ("200", "req_1")

    def test_a_page_of_somebody_else_is_shown_as_text(self, api, worker) -> None:
        answer = api.get(f"/api/v1/jobs/{self.job(api, worker, b'<script>alert(1)</script>')}/response")
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_without_one_there_is_a_problem(self, api) -> None:
        job = api.post("/api/v1/jobs", json=CHAT).json()["id"]
        answer = api.get(f"/api/v1/jobs/{job}/response")
        assert (answer.status_code, answer.json()["kind"]) == (404, "response")
        assert "no provider has answered it" in answer.json()["detail"]


def test_a_server_and_the_storage_say_the_same(settings, store, worker) -> None:
    """``holdfast run --server`` writes what ``holdfast run`` does."""
    with served(settings) as url:
        backend = HttpBackend.of_server(url)
        accepted = backend.submit(SubmitRequest([CHAT, json.dumps(CLAUDE).encode(), PLAIN], many=True))
        worker.respond(MESSAGE, jobs=1)
        worker.answer()
        found = backend.output_lines(accepted.batch, -1, 500, OutputForm.AUTO)
        assert [(line.position, line.error) for line in found] == [(0, None), (1, None), (2, None)]
        assert backend.response(accepted.jobs[0].id).body == MESSAGE
        with pytest.raises(NoResponse):
            backend.response(accepted.jobs[2].id)
        backend.close()
    local = LocalBackend(Installation(settings))
    assert list(local.output_lines(accepted.batch, -1, 500, OutputForm.AUTO)) == list(found)
    local.close()


def test_the_answer_of_an_embedding_has_its_vectors_over_every_way(settings, store, worker) -> None:
    with served(settings) as url, Holdfast(url=url) as remote, Holdfast(settings) as local:
        job = remote.submit(EMBEDDING)
        worker.respond(VECTORS)
        vectors = json.loads(VECTORS)
        assert local.job(job.id).wait(60).line["reply"]["body"] == vectors
        assert remote.job(job.id).wait(60).line["reply"]["body"] == vectors
        batch = remote.submit([EMBEDDING])
        worker.respond(VECTORS)
        for client in (local, remote):
            assert [one.line["reply"]["body"] for one in client.batch(batch.id).results(timeout=60)] == [vectors]


def test_integers_beyond_64_bits_reach_every_client(settings, store, worker) -> None:
    with served(settings) as url, Holdfast(url=url) as remote, Holdfast(settings) as local:
        job = remote.submit(CHAT)
        worker.respond(COMPLETION, REPLY)
        for client in (local, remote):
            assert client.job(job.id).wait(60).tool_calls[0].input == {"wei": 10**20, "a": 1}
