"""What OpenAI's SDK accumulates of a stream that we wrote is the answer that the stream was written of."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from holdfast.wire.chat.stream import write_stream as write_chat
from holdfast.wire.responses.stream import write_stream as write_responses

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
TEXTS = st.text(max_size=900).filter(lambda text: max(text, default="") < "\ud800" or max(text) > "\udfff")
IDS = st.uuids().map(str)
CALLS = st.fixed_dictionaries(
    {
        "id": IDS,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.just("look"), "arguments": TEXTS}),
    }
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXTS, "refusal": st.none() | TEXTS},
    optional={
        "tool_calls": st.lists(CALLS, min_size=1, max_size=3),
        "reasoning_content": TEXTS,
        "annotations": st.lists(st.fixed_dictionaries({"type": st.just("url_citation")}), max_size=2),
        "new_next_month": st.fixed_dictionaries({"deep": st.lists(st.integers())}),
    },
)
CHOICES = st.lists(
    st.fixed_dictionaries(
        {"message": MESSAGES, "finish_reason": st.sampled_from(["stop", "length", "tool_calls"]), "logprobs": st.none()}
    ),
    min_size=1,
    max_size=3,
)
LOGPROBS = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}], "refusal": None}


def data_of(stream: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in stream.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def completion(choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    numbered = [{"index": index, **choice} for index, choice in enumerate(choices)]
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "m", "service_tier": "default"}
    return {**head, "choices": numbered, "usage": usage, **more}


def accumulated(answer: dict[str, Any]) -> dict[str, Any]:
    """What the SDK makes of the stream."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in data_of(b"".join(write_chat(json.dumps(answer).encode(), usage=True))):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return state.current_completion_snapshot.to_dict(mode="json")


def without_marks_of_the_sdk(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The SDK keeps the place of each call, and what it parsed of its arguments."""
    for choice in snapshot["choices"]:
        for call in choice["message"].get("tool_calls") or ():
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
    return snapshot


def told(value: Any) -> Any:
    """Members that are null and members that are not there are the same to the SDK."""
    if isinstance(value, dict):
        return {key: told(inner) for key, inner in value.items() if inner is not None}
    return [told(inner) for inner in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(choices=CHOICES)
def test_a_chat_completion_is_what_its_stream_adds_up_to(choices) -> None:
    answer = completion(choices)
    found = without_marks_of_the_sdk(accumulated(copy.deepcopy(answer)))
    found["object"] = "chat.completion"
    assert told(found) == told(answer)


def test_log_probabilities_and_unknown_members_arrive() -> None:
    message = {"role": "assistant", "content": "a", "refusal": None}
    choice = {"message": message, "finish_reason": "stop", "logprobs": LOGPROBS, "content_filter_results": {"a": 1}}
    answer = completion([choice], holdfast={"reasoning": "so"}, citations=["x"])
    found = accumulated(answer)
    assert found["choices"][0]["logprobs"] == LOGPROBS
    assert found["choices"][0]["content_filter_results"] == {"a": 1}
    assert (found["holdfast"], found["citations"]) == ({"reasoning": "so"}, ["x"])


def test_usage_comes_only_where_it_is_asked_for_and_then_last_in_a_chunk_without_choices() -> None:
    message = {"role": "assistant", "content": "a", "refusal": None}
    body = json.dumps(completion([{"message": message, "finish_reason": "stop", "logprobs": None}])).encode()
    asked, unasked = data_of(b"".join(write_chat(body, usage=True))), data_of(b"".join(write_chat(body)))
    assert (asked[-1]["choices"], asked[-1]["usage"]["total_tokens"]) == ([], 7)
    assert all(chunk["usage"] is None for chunk in asked[:-1])
    assert all("usage" not in chunk for chunk in unasked)
    assert b"".join(write_chat(body)).endswith(b"data: [DONE]\n\n")


def test_a_call_of_a_custom_tool_and_an_older_function_come_in_parts() -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "grep", "input": "x" * 900}}
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [custom]}
    older = {"role": "assistant", "content": None, "refusal": None, "function_call": {"name": "f", "arguments": "{}"}}
    ends = {"finish_reason": "stop", "logprobs": None}
    answer = completion([{"message": message, **ends}, {"message": older, **ends}])
    deltas = [c["choices"][0]["delta"] for c in data_of(b"".join(write_chat(json.dumps(answer).encode())))]
    parts = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert (parts[0]["custom"], "".join(part["custom"]["input"] for part in parts)) == (
        {"name": "grep", "input": ""},
        "x" * 900,
    )
    assert "".join(delta["function_call"]["arguments"] for delta in deltas if "function_call" in delta) == "{}"


def test_an_older_completion_is_told_in_pieces() -> None:
    choices = [{"index": 0, "text": "y" * 900, "logprobs": None, "finish_reason": "length"}]
    answer = {"id": "cmpl-1", "object": "text_completion", "created": 5, "model": "m", "choices": choices}
    chunks = data_of(b"".join(write_chat(json.dumps(answer).encode())))
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "y" * 900
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


MARK = {"type": "url_citation", "url": "https://x", "title": "t", "start_index": 0, "end_index": 1}


def shaped(type_: str, **members: Any) -> Any:
    fixed = {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in members.items()}
    return st.fixed_dictionaries({"type": st.just(type_), **fixed})


PARTS = st.one_of(
    shaped("output_text", text=TEXTS, logprobs=st.just([]), annotations=st.sampled_from([[], [MARK]])),
    shaped("refusal", refusal=TEXTS),
)
ITEMS = st.one_of(
    shaped("message", id=IDS, role="assistant", status="completed", content=st.lists(PARTS)),
    shaped("function_call", id=IDS, call_id=IDS, name="look", arguments=TEXTS, status="completed"),
    shaped("custom_tool_call", id=IDS, call_id=IDS, name="look", input=TEXTS),
    shaped(
        "reasoning",
        id=IDS,
        encrypted_content=IDS,
        summary=st.lists(shaped("summary_text", text=TEXTS), max_size=2),
        content=st.lists(shaped("reasoning_text", text=TEXTS), max_size=2),
    ),
    shaped("web_search_call", id=IDS, status="completed", action={"type": "search", "query": "q"}),
)


def response(items: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 5, "status": status, "model": "m", "tools": []}
    details = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    more = {"cached_tokens": 0, "cache_write_tokens": 0}, {"reasoning_tokens": 0}
    usage = {**details, "input_tokens_details": more[0], "output_tokens_details": more[1]}
    ends = {"error": None, "incomplete_details": None, "parallel_tool_calls": True, "tool_choice": "auto"}
    return {**head, **ends, "output": items, "usage": usage}


def added_up(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the output together from the parts alone, as a program that shows them while they come does."""
    items: list[dict[str, Any]] = []
    for event in events:
        kind, rest = event["type"].rpartition(".")[::2]
        match kind, rest:
            case "response.output_item", "added":
                assert event["output_index"] == len(items)
                items.append(copy.deepcopy(event["item"]))
            case "response.content_part" | "response.reasoning_summary_part", "added":
                key = "content" if "content" in kind else "summary"
                items[event["output_index"]].setdefault(key, []).append(copy.deepcopy(event["part"]))
            case "response.output_text.annotation", "added":
                part_of(items, event)["annotations"].append(event["annotation"])
            case _, "delta":
                add_piece(items, event)
    for item in items:
        if "status" in item:
            item["status"] = "completed"
    return items


def part_of(items: list[dict[str, Any]], event: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = items[event["output_index"]]
    if "summary_index" in event:
        return item["summary"][event["summary_index"]]
    return item["content"][event["content_index"]] if "content_index" in event else item


def add_piece(items: list[dict[str, Any]], event: dict[str, Any]) -> None:
    part = part_of(items, event)
    key = next(key for key in ("arguments", "input", "refusal", "text") if key in part)
    part[key] += event["delta"]


@settings(max_examples=60, deadline=None)
@given(items=st.lists(ITEMS, max_size=4))
def test_a_response_is_what_its_stream_adds_up_to(items) -> None:
    answer = response(items)
    events = data_of(b"".join(write_responses(json.dumps(answer).encode())))
    for event in events:
        EVENT.validate_python(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert (events[-1]["type"], events[-1]["response"]) == ("response.completed", answer)
    assert added_up(events) == items


def test_how_a_response_ended_is_told_by_its_last_event() -> None:
    for status, kind in (("incomplete", "response.incomplete"), ("failed", "response.failed")):
        assert data_of(b"".join(write_responses(json.dumps(response([], status)).encode())))[-1]["type"] == kind
