"""Calls with ``stream=True``: the whole answer as the SDK's events, comments while it is not there, errors in time."""

import httpx2
import openai
import pytest

from api.openai.conftest import drop_unseen, given_up, jobs, until
from holdfast.api.compatible import waiting_call

ASK = {"model": "smart", "messages": [{"role": "user", "content": "hello"}]}
LANE = "smart.interactive"


@pytest.fixture
def hasty(monkeypatch) -> None:
    """Streams that begin, and send comments, after a moment."""
    monkeypatch.setattr(waiting_call, "HEAD_AFTER", 0.05)
    monkeypatch.setattr(waiting_call, "KEEP_ALIVE_EVERY", 0.05)


def test_a_chat_completion_is_streamed(client, answering) -> None:
    with client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}) as stream:
        chunks = list(stream)
        assert stream.response.headers["x-holdfast-route"] == "anthropic/claude-opus-4-8"
        assert "stream" not in stream.response.headers.get("x-holdfast-mapping", "")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "HELLO"
    assert chunks[-1].usage.total_tokens == 14


def test_the_sdks_own_accumulation_gives_the_answer(client, answering) -> None:
    with client.chat.completions.stream(**ASK) as stream:
        assert stream.get_final_completion().choices[0].message.content == "HELLO"
    with client.responses.stream(model="smart", input="hello") as stream:
        assert stream.get_final_response().output_text == "HELLO"


async def test_a_response_is_streamed_to_the_asynchronous_client(url, answering) -> None:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=20) as client:
        stream = await client.responses.create(model="smart", input="hello", stream=True)
        deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "HELLO"


def test_a_stream_that_waits_sends_comments_and_then_the_answer(url, worker, store, beside, hasty) -> None:
    lines: list[str] = []

    def read() -> None:
        with httpx2.stream("POST", f"{url}/chat/completions", json={**ASK, "stream": True}, timeout=20) as answer:
            lines.extend(answer.iter_lines())

    reading = beside.submit(read)
    until(lambda: lines.count(": waiting") > 2)
    worker.answer(LANE)
    reading.result()
    assert lines[-2:] == ["data: [DONE]", ""]
    assert any("HELLO" in line for line in lines)


def test_a_job_that_dies_before_its_stream_begins_has_a_status(client, worker, store, beside) -> None:
    call = beside.submit(client.chat.completions.create, **ASK, stream=True)
    until(lambda: jobs(store))
    worker.bury(LANE)
    assert isinstance(call.exception(), openai.BadRequestError)


def test_a_job_that_dies_in_its_stream_is_an_error_of_the_stream(client, worker, store, beside, hasty) -> None:
    stream = beside.submit(client.with_options(timeout=90).chat.completions.create, **ASK, stream=True).result()
    worker.bury(LANE)
    with pytest.raises(openai.APIError, match="no such parameter"):
        list(stream)


def test_a_job_that_is_dropped_in_its_stream_is_an_error_of_the_stream(client, worker, store, beside, hasty) -> None:
    stream = beside.submit(client.with_options(timeout=90).chat.completions.create, **ASK, stream=True).result()
    drop_unseen(worker, LANE)
    with pytest.raises(openai.APIError, match="there is no job job_"):
        list(stream)


def test_a_client_with_a_short_time_out_is_not_kept_by_comments(client, store, hasty) -> None:
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.5, max_retries=0).chat.completions.create(**ASK, stream=True)
    assert len(jobs(store)) == 1


def test_a_stream_that_is_given_up_is_found_again(client, worker, store, beside, hasty) -> None:
    patient = client.with_options(timeout=90)
    beside.submit(patient.chat.completions.create, **ASK, stream=True).result().close()
    until(lambda: given_up(store))
    again = beside.submit(patient.chat.completions.create, **ASK, stream=True)
    until(lambda: not given_up(store))
    worker.answer(LANE)
    assert any(chunk.choices[0].delta.content == "HELLO" for chunk in again.result())
    assert len(jobs(store)) == 1
