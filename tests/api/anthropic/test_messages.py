"""Calls of Anthropic's SDK that look synchronous are queued and waited for, whichever provider runs them."""

import asyncio
from typing import Any

import anthropic
import orjson
import pytest
from pydantic import BaseModel

from api.anthropic.conftest import INTERACTIVE, working
from api.keys import add_key
from holdfast.model.ids import inner_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.jobs import find_detail, list_jobs, read_request
from producing import ROUTE, StandInWorker

HI: dict[str, Any] = {"model": "smart", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi there"}]}
OWN = {
    "id": "msg_own", "type": "message", "role": "assistant", "model": "claude-opus-4-8-20260401",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": '{"city": "Paris"}', "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "Paris"}},
    ],
    "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 12, "output_tokens": 34},
    "a_field_of_next_month": [1.50],
}  # fmt: skip
OWN_BYTES = orjson.dumps(OWN).replace(b"1.5", b"1.50")


def responding(store, body: bytes = OWN_BYTES):
    return working(store, lambda worker: worker.respond(body, lane=INTERACTIVE))


def jobs(store) -> list:
    return store.read(list_jobs, JobFilter(), 100)


def test_a_message_is_created(client, answering) -> None:
    message = client.messages.create(**HI)
    assert isinstance(message, anthropic.types.Message)
    assert (message.content[0].text, message.stop_reason) == ("HI THERE", "end_turn")
    assert (message.model, message.usage.output_tokens) == ("claude-opus-4-8-20260401", 4)


def test_headers_say_who_answered_and_what_it_cost(client, answering, store) -> None:
    raw = client.messages.with_raw_response.create(**HI)
    (job,) = jobs(store)
    assert raw.headers["x-holdfast-job"] == f"job_{job.id}"
    assert raw.headers["x-holdfast-route"] == ROUTE
    assert (raw.headers["x-holdfast-attempts"], raw.headers["x-holdfast-cost-usd"]) == ("1", "0.00015")
    assert raw.parse()._request_id == raw.headers["request-id"] == raw.headers["x-request-id"]


def test_the_message_is_the_providers_own_byte_for_byte(client, store) -> None:
    with responding(store):
        assert client.messages.with_raw_response.create(**HI).read() == OWN_BYTES


def test_a_waiting_call_is_interactive_and_stored_as_it_was_written(client, answering, store) -> None:
    client.messages.create(**HI, extra_body={"of_next_month": True})
    (job,) = jobs(store)
    written = store.read(find_detail, job.id).request.written
    assert (job.lane, orjson.loads(written.body)) == (INTERACTIVE, HI | {"of_next_month": True})


def test_a_streamed_message_is_the_whole_one(client, store) -> None:
    with responding(store), client.messages.stream(**HI) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert (text, final.to_dict()["content"], final.stop_reason) == (
        OWN["content"][1]["text"],
        OWN["content"],
        "tool_use",
    )
    assert stream.response.headers["x-holdfast-route"] == ROUTE


def test_the_events_of_a_stream_come_one_by_one(client, answering) -> None:
    with client.messages.create(**HI, stream=True) as stream:
        kinds = [event.type for event in stream]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert kinds == ["message_start", *block, "message_delta", "message_stop"]


async def test_the_asynchronous_client_creates_and_streams(url, store) -> None:
    with responding(store):
        async with anthropic.AsyncAnthropic(base_url=url, api_key="none", timeout=20) as client:
            created, streamed = await asyncio.gather(client.messages.create(**HI), final_of(client))
    assert (created.id, streamed.to_dict()["content"]) == ("msg_own", created.to_dict()["content"])


async def final_of(client: anthropic.AsyncAnthropic) -> anthropic.types.Message:
    async with client.messages.stream(**HI) as stream:
        return await stream.get_final_message()


def test_betas_travel_with_the_request(client, store) -> None:
    with responding(store):
        message = client.beta.messages.create(**HI, betas=["one-2026-01-01", "two-2026-01-01"])
        with client.beta.messages.stream(**HI, betas=["three-2026-01-01"]) as stream:
            assert stream.get_final_message().to_dict()["content"] == message.to_dict()["content"]
    headers = [store.read(find_detail, job.id).request.written.headers for job in reversed(jobs(store))]
    assert [each["anthropic-beta"] for each in headers] == ["one-2026-01-01,two-2026-01-01", "three-2026-01-01"]
    assert not any(name in each for each in headers for name in ("authorization", "x-api-key", "x-stainless-lang"))


class City(BaseModel):
    city: str


def test_a_structured_output_is_parsed(client, store) -> None:
    with responding(store):
        assert client.messages.parse(**HI, output_format=City).parsed_output == City(city="Paris")


def test_a_model_that_nobody_knows_is_not_found(client) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(**HI | {"model": "smrt"})
    error = caught.value
    assert error.body["error"]["type"] == "not_found_error"
    assert "Did you mean smart?" in error.body["error"]["message"]
    assert error.body["request_id"] == error.request_id == error.response.headers["request-id"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"messages": []}, "messages: is missing or empty"),
        ({"messages": [{"role": "user"}]}, "messages[0].content: is missing"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"model": 7}, "model"),
    ],
)
def test_a_request_that_is_wrong_is_a_bad_request(client, store, body, says) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(**HI | body)
    assert caught.value.body["error"]["type"] == "invalid_request_error"
    assert says in caught.value.body["error"]["message"]
    assert jobs(store) == []


def test_what_the_provider_calls_wrong_is_a_bad_request_and_not_repeated(client, store) -> None:
    own = b'{"type":"error","error":{"type":"invalid_request_error","message":"no such parameter"}}'
    patient = client.with_options(max_retries=5)
    burying = working(store, lambda worker: worker.bury(INTERACTIVE, body=own))
    with burying, pytest.raises(anthropic.BadRequestError, match="no such parameter") as caught:
        patient.messages.create(**HI)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(jobs(store)) == 1


def test_a_stream_whose_job_fails_is_an_error_of_the_same_class(client, store) -> None:
    burying = working(store, lambda worker: worker.bury(INTERACTIVE))
    with burying, pytest.raises(anthropic.BadRequestError), client.messages.stream(**HI) as stream:
        stream.get_final_message()


def test_a_call_that_gave_up_and_is_sent_again_finds_its_job(client, store, worker: StandInWorker) -> None:
    """The SDK repeats a call whose time-out passed; nobody answers before it has done so."""
    impatient = client.with_options(max_retries=4, timeout=0.4)
    tries: list[str] = []

    def act(worker: StandInWorker) -> None:
        if len(tries) > 1:
            worker.respond(OWN_BYTES, lane=INTERACTIVE)

    impatient._client.event_hooks["request"].append(lambda request: tries.append(request.url.path))
    with working(store, act):
        assert impatient.messages.create(**HI).id == "msg_own"
    assert len(tries) > 1
    assert [job.state for job in jobs(store)] == [State.SUCCEEDED]


def test_either_kind_of_key_lets_in_and_a_wrong_one_does_not(url, store, answering) -> None:
    key = add_key(store)
    bearer = {"Authorization": f"Bearer {key}"}
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as client:
        assert client.messages.create(**HI).type == "message"
    with anthropic.Anthropic(base_url=url, auth_token=key, max_retries=0) as client:
        assert client.messages.create(**HI, extra_headers=bearer).type == "message"
    stranger = anthropic.Anthropic(base_url=url, api_key="hf_wrong", max_retries=0)
    with stranger as client, pytest.raises(anthropic.AuthenticationError) as caught:
        client.messages.create(**HI)
    assert caught.value.body["error"]["type"] == "authentication_error"


def test_a_job_is_found_under_the_id_that_the_header_tells(client, answering, store) -> None:
    raw = client.messages.with_raw_response.create(**HI)
    assert store.read(find_detail, inner_id("job", raw.headers["x-holdfast-job"])).job.state is State.SUCCEEDED


def test_tokens_are_estimated_where_no_provider_can_be_asked_and_that_is_said(client) -> None:
    asked = {"model": "smart", "system": "Be brief.", "messages": HI["messages"]}
    raw = client.messages.with_raw_response.count_tokens(**asked)
    assert raw.headers["x-holdfast-estimate"] == "true"
    assert 4 <= raw.parse().input_tokens <= 20
    assert client.beta.messages.count_tokens(**asked).input_tokens == raw.parse().input_tokens


def test_models_are_listed_by_pages_and_found_by_any_name(client) -> None:
    assert [model.id for model in client.models.list(limit=1)] == ["smart", "claude-opus-4-8", "gpt-5.4"]
    assert client.models.retrieve("openai/gpt-5.4").display_name == "openai/gpt-5.4"
    with pytest.raises(anthropic.NotFoundError, match="Did you mean smart"):
        client.models.retrieve("smrt")


def test_files_of_openais_clients_are_not_shown_to_anthropics(client) -> None:
    """Both APIs have the path, for different things."""
    for look in (client.beta.files.list, lambda: client.beta.files.retrieve_metadata("file_1")):
        with pytest.raises(anthropic.NotFoundError, match="keeps no files") as caught:
            look()
        assert caught.value.body["error"]["type"] == "not_found_error"


def test_the_details_of_a_providers_error_choose_the_class_that_is_raised(client, store) -> None:
    told = {"type": "invalid_request_error", "message": "off", "details": {"error_code": "cmek_key_disabled"}}
    body = orjson.dumps({"type": "error", "error": told, "request_id": "req_theirs"})
    burying = working(store, lambda worker: worker.bury(INTERACTIVE, body=body))
    with burying, pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(**HI)
    assert type(refused.value).__name__ == "CMEKKeyDisabledError"
    assert refused.value.request_id != "req_theirs"


def test_a_query_goes_with_its_message_less_the_mark_of_the_beta(client, answering, store) -> None:
    client.beta.messages.create(**HI, extra_query={"trace": "1"})
    (job,) = jobs(store)
    assert store.read(read_request, job.id).written.path == "/v1/messages?trace=1"
