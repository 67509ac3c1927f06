"""Calls through the unmodified SDK queue and wait, are found again when they are repeated, and fail as OpenAI's do."""

import asyncio
import json

import httpx2
import openai
import pytest

from api.openai.conftest import drop_unseen, given_up, jobs, until
from holdfast.store.jobs import read_request

ASK = {"model": "smart", "messages": [{"role": "user", "content": "hello"}]}
LANE = "smart.interactive"


def test_a_chat_completion_comes_back_in_the_shape_of_the_sdk(client, answering, store) -> None:
    raw = client.chat.completions.with_raw_response.create(**ASK)
    answer = raw.parse()
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("HELLO", "stop")
    assert answer.model == "claude-opus-4-8-20260401"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 4)
    assert raw.headers["x-holdfast-route"] == "anthropic/claude-opus-4-8"
    assert raw.headers["x-holdfast-attempts"] == "1"
    assert answer._request_id.startswith("req_")
    [job] = jobs(store)
    assert (raw.headers["x-holdfast-job"], job.lane) == (f"job_{job.id}", LANE)


def test_a_response_comes_back_in_the_shape_of_the_sdk(client, answering) -> None:
    answer = client.responses.create(model="smart", input="hello")
    assert (answer.output_text, answer.status) == ("HELLO", "completed")


async def test_the_asynchronous_client_waits_for_many_at_once(url, answering) -> None:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=30) as client:
        asked = [{**ASK, "messages": [{"role": "user", "content": f"line {n}"}]} for n in range(20)]
        answers = await asyncio.gather(*(client.chat.completions.create(**each) for each in asked))
    assert [answer.choices[0].message.content for answer in answers] == [f"LINE {n}" for n in range(20)]


def test_a_call_that_gives_up_and_is_repeated_by_the_sdk_finds_its_job(client, worker, store, beside) -> None:
    impatient = client.with_options(timeout=0.5, max_retries=8)
    call = beside.submit(impatient.chat.completions.create, **ASK)
    until(lambda: jobs(store))
    until(lambda: given_up(store))
    worker.answer(LANE)
    assert call.result().choices[0].message.content == "HELLO"
    assert len(jobs(store)) == 1


def test_a_call_that_is_made_again_after_it_was_given_up_finds_its_job_too(client, worker, store, beside) -> None:
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.5, max_retries=0).chat.completions.create(**ASK)
    until(lambda: given_up(store))
    call = beside.submit(client.chat.completions.create, **ASK)
    until(lambda: not given_up(store))
    worker.answer(LANE)
    assert call.result().choices[0].message.content == "HELLO"
    assert len(jobs(store)) == 1


def test_a_given_up_call_whose_job_was_dropped_is_a_new_job(client, worker, store, beside) -> None:
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3, max_retries=0).chat.completions.create(**ASK)
    until(lambda: given_up(store))
    drop_unseen(worker, LANE)
    again = beside.submit(client.chat.completions.create, **ASK)
    until(lambda: jobs(store))
    worker.answer(LANE)
    assert again.result().choices[0].message.content == "HELLO"


def test_equal_calls_that_are_meant_are_jobs_of_their_own(client, worker, store, beside) -> None:
    calls = [beside.submit(client.chat.completions.create, **ASK) for _ in range(3)]
    until(lambda: len(jobs(store)) == 3)
    worker.answer(LANE)
    assert len({call.result().id for call in calls}) == 3


def test_an_answer_that_was_lost_on_its_way_is_given_again_to_a_repeat(client, answering, store) -> None:
    first = client.chat.completions.create(**ASK)
    again = client.chat.completions.create(**ASK, extra_headers={"x-stainless-retry-count": "1"})
    assert (again.id, len(jobs(store))) == (first.id, 1)


def test_an_idempotency_key_names_the_call(client, answering, store) -> None:
    mine = {"extra_headers": {"Idempotency-Key": "mine"}}
    assert client.chat.completions.create(**ASK, **mine).id == client.chat.completions.create(**ASK, **mine).id
    assert len(jobs(store)) == 1
    with pytest.raises(openai.ConflictError) as refused:  # and at once: the SDK would repeat a 409 by itself
        client.chat.completions.create(**{**ASK, "temperature": 0.5}, **mine)
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_a_request_that_every_route_calls_wrong_is_a_bad_request(client, worker, store, beside) -> None:
    call = beside.submit(client.chat.completions.create, **ASK)
    until(lambda: jobs(store))
    worker.bury(LANE, body=b'{"error": {"message": "no such parameter", "type": "x", "code": "bad_parameter"}}')
    error = call.exception()
    assert isinstance(error, openai.BadRequestError)
    assert (error.code, "no such parameter" in error.message) == ("bad_parameter", True)


def test_what_a_provider_says_in_its_error_reaches_the_caller(client, worker, store, beside) -> None:
    call = beside.submit(client.chat.completions.create, **ASK)
    until(lambda: jobs(store))
    told = {"message": "no", "type": "image_error", "param": "messages[0]", "innererror": {"a": 1}}
    worker.bury(LANE, body=json.dumps({"error": told}).encode())
    error = call.exception()
    assert (error.type, error.param, error.code) == ("image_error", "messages[0]", "bad_parameter")
    assert error.body["innererror"] == {"a": 1}


def test_a_query_goes_with_its_call_and_tells_it_from_others(client, worker, store, beside) -> None:
    calls = [beside.submit(client.chat.completions.create, **ASK, extra_query={"trace": n}) for n in "12"]
    until(lambda: len(jobs(store)) == 2)
    requests = [store.read(read_request, job.id).written for job in jobs(store)]
    assert {request.path for request in requests} == {"/chat/completions?trace=1", "/chat/completions?trace=2"}
    until(lambda: worker.answer(LANE) or all(call.done() for call in calls))
    assert all(call.result() for call in calls)


@pytest.mark.parametrize(
    ("wrong", "kind", "code", "param"),
    [
        ({"model": "no such"}, openai.NotFoundError, "model_not_found", "model"),
        ({"model": ""}, openai.BadRequestError, None, "model"),
        ({"messages": "hello"}, openai.BadRequestError, None, "messages"),
        ({"max_tokens": -1}, openai.BadRequestError, None, "max_tokens"),
    ],
)
def test_a_wrong_call_raises_what_openai_would_raise(client, store, wrong, kind, code, param) -> None:
    with pytest.raises(kind) as refused:
        client.chat.completions.create(**{**ASK, **wrong})
    assert (refused.value.code, refused.value.param, refused.value.type) == (code, param, "invalid_request_error")
    assert jobs(store) == []


def test_an_embedding_that_no_route_has_is_refused_at_once(client) -> None:
    with pytest.raises(openai.BadRequestError, match="has /embeddings"):
        client.embeddings.create(model="anthropic/claude-opus-4-8", input="hello")


@pytest.mark.parametrize("endpoint", ["/embeddings", "/completions", "/moderations"])
def test_a_call_without_a_neutral_form_passes_through(url, worker, store, beside, endpoint) -> None:
    body = {"model": "openai/gpt-5.4", "input": "hello", "prompt": "hello"}
    call = beside.submit(httpx2.post, url + endpoint, json=body, timeout=20)
    until(lambda: jobs(store))
    worker.respond(b'{"object": "list", "data": [1]}', lane="openai/gpt-5.4.interactive")
    assert call.result().content == b'{"object": "list", "data": [1]}'


def test_a_path_that_is_not_there_is_told_in_openais_shape(client) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.fine_tuning.jobs.list()
    assert refused.value.code == "unknown_url"


def test_a_key_that_names_another_call_is_told_as_its_client_wrote_it(client, answering) -> None:
    keyed = {"extra_headers": {"Idempotency-Key": "mine"}}
    client.chat.completions.create(model="smart", messages=[{"role": "user", "content": "one"}], **keyed)
    with pytest.raises(openai.ConflictError, match="Idempotency-Key 'mine': is taken"):
        client.chat.completions.create(model="smart", messages=[{"role": "user", "content": "two"}], **keyed)
