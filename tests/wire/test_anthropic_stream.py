"""A whole message written as a stream: what the official SDK makes of the events is the message."""

import json
from random import Random
from typing import Any

import httpx2
import pytest
from anthropic._models import construct_type
from anthropic._streaming import SSEDecoder
from anthropic.lib.streaming import _beta_messages, _messages
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent

from holdfast.model import exact_json
from holdfast.wire.anthropic.stream import PING, write_stream, write_stream_error
from holdfast.wire.server_sent_events import KEEP_ALIVE, PIECE
from wire.sdk_values import SdkValues, arms

SEEDS = range(150)
KINDS = {Message: (_messages, RawMessageStreamEvent), BetaMessage: (_beta_messages, BetaRawMessageStreamEvent)}


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """The events as the SDK cuts them, a few bytes at a time; a ping is passed over there too."""
    chunks = [stream[start : start + 7] for start in range(0, len(stream), 7)]
    read = list(SSEDecoder().iter_bytes(iter(chunks)))
    assert all(event.event == event.json()["type"] for event in read)
    return [event.json() for event in read if event.event != "ping"]


def accumulated(kind: type, stream: bytes) -> dict[str, Any]:
    """What ``get_final_message`` of the SDK returns at the end of the stream."""
    helper, event_type = KINDS[kind]
    more = {"request_headers": httpx2.Headers()} if kind is BetaMessage else {}
    snapshot, buffers = None, {}
    for event in events_of(stream):
        typed = construct_type(type_=event_type, value=event)
        snapshot = helper.accumulate_event(event=typed, current_snapshot=snapshot, json_bufs=buffers, **more)
    assert snapshot is not None
    return snapshot.to_dict(mode="json")


def whole(kind: type, body: dict[str, Any]) -> dict[str, Any]:
    """The same message, read at once."""
    return construct_type(type_=kind, value=body).to_dict(mode="json")


def without_nulls(value: Any) -> Any:
    """Null and nothing mean the same to the SDK: a delta sets some fields to null that the message does not have."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def expected(kind: type, body: dict[str, Any]) -> dict[str, Any]:
    hops = [block["to"]["model"] for block in body["content"] if block["type"] == "fallback"]
    return without_nulls(whole(kind, body | ({"model": hops[-1]} if hops else {})))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_the_sdk_accumulates_is_the_message(kind):
    for seed in SEEDS:
        body = SdkValues(seed).model(kind)
        stream = b"".join(write_stream(exact_json.dumps(body)))
        assert without_nulls(accumulated(kind, stream)) == expected(kind, body), body


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_block_is_streamed_whole(kind):
    blocks = arms(kind.model_fields["content"].annotation.__args__[0])
    assert len(blocks) > 10
    for block in blocks:
        for seed in range(20):
            made = SdkValues(seed)
            body = made.model(kind) | {"content": [made.model(block), made.model(block)]}
            stream = b"".join(write_stream(exact_json.dumps(body)))
            assert without_nulls(accumulated(kind, stream)) == expected(kind, body), body


def message(*blocks: dict[str, Any], **more: Any) -> bytes:
    about = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-8", "stop_sequence": None}
    usage = {"input_tokens": 12, "output_tokens": 34}
    return exact_json.dumps(about | {"stop_reason": "end_turn", "usage": usage, "content": blocks} | more)


def test_a_long_text_comes_in_pieces_of_whole_characters():
    text = "".join(Random(1).choices('aä🙂\u2028\u0085\n"\\', k=5 * PIECE + 3))
    stream = b"".join(write_stream(message({"type": "text", "text": text, "citations": None})))
    deltas = [event["delta"]["text"] for event in events_of(stream) if event["type"] == "content_block_delta"]
    assert (len(deltas), "".join(deltas)) == (6, text)


def test_no_reader_of_lines_sees_an_end_inside_of_an_event():
    """Some cut at every line end that Unicode knows."""
    stream = b"".join(
        write_stream(message({"type": "text", "text": "a\u2028b\u2029c\u0085d\x0be\x1cf", "citations": None}))
    )
    assert all(line == "" or line.startswith(("event: ", "data: ")) for line in stream.decode().splitlines())


def test_the_arguments_of_a_call_keep_large_integers_and_their_order():
    block = {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {"wei": 10**30, "a": [1]}}
    deltas = [event.get("delta", {}) for event in events_of(b"".join(write_stream(message(block))))]
    written = "".join(delta.get("partial_json", "") for delta in deltas)
    assert written == '{"wei":1000000000000000000000000000000,"a":[1]}'


def test_a_block_that_nobody_knows_yet_starts_whole():
    block = {"type": "hologram", "points": [1, 2], "text": "not a text block"}
    begun = [event for event in events_of(b"".join(write_stream(message(block)))) if "content_block" in event]
    assert begun == [{"type": "content_block_start", "index": 0, "content_block": block}]


def test_the_order_of_events_is_that_of_the_api():
    text, call = {"type": "text", "text": "Yes."}, {"type": "tool_use", "id": "1", "name": "n", "input": {}}
    kinds = [event["type"] for event in events_of(b"".join(write_stream(message(text, call))))]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert kinds == ["message_start", *block, *block, "message_delta", "message_stop"]


def test_who_adds_up_the_output_tokens_of_all_events_is_right_too():
    events = events_of(b"".join(write_stream(message())))
    assert [events[0]["message"]["usage"]["output_tokens"], events[1]["usage"]["output_tokens"]] == [0, 34]


def test_a_message_of_a_server_that_tells_no_usage_is_streamed_all_the_same():
    stream = b"".join(write_stream(message(usage=None, content=None)))
    assert accumulated(Message, stream)["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_waiting_is_told_by_what_every_reader_passes_over():
    stream = PING + KEEP_ALIVE + b"".join(write_stream(message()))
    assert accumulated(Message, stream)["id"] == "msg_1"


def test_an_error_in_a_stream_is_an_event_of_its_own():
    error = {"type": "error", "error": {"type": "api_error", "message": "no"}, "request_id": "req_1"}
    name, data, *_ = write_stream_error(error).decode().split("\n")
    assert (name, json.loads(data.removeprefix("data: "))) == ("event: error", error)
