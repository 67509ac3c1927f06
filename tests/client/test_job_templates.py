"""An item that is read by its likeness to an earlier one becomes the same job as one that is read whole."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.client.job_items import need_of, read_checked
from holdfast.client.job_templates import LARGEST_SHAPE, MOST_SHAPES, JobTemplates, ReadJob, read_whole, shape_of
from holdfast.client.submit_request import Item, JobDefaults
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Need
from holdfast.wire.batch_line import ParsedLine
from holdfast.wire.line_shape import LONGEST_LINE, take_apart
from producing import configured

DEFAULTS = JobDefaults()
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
SAID = st.one_of(st.text(min_size=1, max_size=30), st.sampled_from(["short", "a" * 700, "漢字", 'a "quotation"\n']))
TEXT = st.one_of(SAID, SAID, SAID, st.sampled_from(["", " ", "\x00"]))
ROLE = st.sampled_from([*["user", "assistant", "system", "developer"] * 3, "tool", "critic"])
PART = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "input_text", "output_text", "refusal"]), "text": TEXT}),
    st.just({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}),
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXT, "cache_control": st.just({"type": "ephemeral"})}),
)
CONTENT = st.one_of(TEXT, TEXT, st.lists(PART, max_size=2))
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLE, "content": CONTENT}), max_size=3)
MAXIMUM = st.sampled_from([1, 100, 100, 100, 0])
MODEL = st.sampled_from(["smart", "smart", "anthropic/claude-opus-4-8", "openai/e", "nobody's"])
COMMON = {"temperature": st.just(0.5), "extra_body": st.just({"top_k": 3})}
CHAT = st.fixed_dictionaries(
    {"model": MODEL, "messages": MESSAGES},
    optional={
        **COMMON,
        "max_tokens": MAXIMUM,
        "tools": st.sampled_from([[TOOL], [TOOL, TOOL]]),
        "response_format": st.just(SCHEMA),
    },
)
RESPONSES = st.fixed_dictionaries(
    {"model": MODEL, "input": st.one_of(TEXT, MESSAGES)},
    optional={**COMMON, "max_output_tokens": MAXIMUM, "instructions": CONTENT},
)
ANTHROPIC = st.fixed_dictionaries(
    {"model": MODEL, "messages": MESSAGES, "max_tokens": MAXIMUM}, optional={**COMMON, "system": CONTENT}
)
EMBEDDINGS = st.fixed_dictionaries(
    {"model": MODEL, "input": st.one_of(TEXT, st.lists(TEXT, max_size=2), st.just([1, 2]))}
)
PLAIN = st.fixed_dictionaries(
    {"model": MODEL},
    optional={
        "custom_id": st.sampled_from(["", None, "c", "c" * 1_001]),
        "system": TEXT,
        "max_tokens": MAXIMUM,
        "temperature": st.just(0.5),
        "tools": st.just([{"name": "w", "parameters": {"type": "object"}}]),
    },
)
OUTSIDE = {
    "priority": st.sampled_from(["interactive", "batch"]),
    "expires_in": st.sampled_from([5, "24h"]),
    "mapping": st.sampled_from(["exact", "never", "tolerant"]),
    "must": st.just([{"regex": "^A"}]),
    "metadata": st.just({"a": "b"}),
    "letter": st.just({"reason": "exhausted"}),
    "not_before": st.sampled_from(["2h", "2090-01-01T00:00Z"]),
    "webhook": st.just("https://example.org/told"),
}


def lines_with(members: dict) -> st.SearchStrategy:
    """Return lines that hold ``members`` and at most one of what may stand beside a request."""
    beside = st.one_of(*(st.fixed_dictionaries(one) for one in ({}, *({key: OUTSIDE[key]} for key in OUTSIDE))))
    named = st.fixed_dictionaries(members, optional={"custom_id": NAME})
    return st.builds(lambda line, more: {**line, **more}, named, beside)


NAME = st.sampled_from(["a", "b", "é"])
LINE = st.one_of(
    lines_with({"url": st.just("/v1/chat/completions"), "body": CHAT}),
    lines_with({"url": st.just("/v1/responses"), "body": RESPONSES}),
    lines_with({"url": st.just("/v1/embeddings"), "body": EMBEDDINGS}),
    lines_with({"params": ANTHROPIC}),
    st.builds(lambda line, plain: {**line, **plain}, lines_with({"prompt": TEXT}), PLAIN),
    st.builds(lambda line, plain: {**line, **plain}, lines_with({"messages": MESSAGES}), PLAIN),
)


@pytest.fixture(scope="module")
def plan_of(tmp_path_factory: pytest.TempPathFactory):
    directory: Path = tmp_path_factory.mktemp("settings")
    return configured(directory).plan


def read(line: Item, plan_of) -> tuple[ParsedLine, Need]:
    parsed = read_checked(line, DEFAULTS, plan_of)
    return parsed, need_of(parsed, plan_of)


def stored(job: ReadJob) -> tuple:
    """Return what would be kept of a line, its input tokens aside."""
    line, need = job.line, replace(job.need, input_tokens=1)
    about = (job.custom_id, line.model, line.priority, line.expires_in, line.metadata, line.api, line.webhook)
    return need, about, line.not_before, job.body, job.hash


def compare(alike: JobTemplates, line: Item, plan_of) -> bool:
    """Read a line both ways, and say whether it was like an earlier one."""
    shaped = shape_of(line)
    known = alike.read(shaped) if shaped else None
    if known is not None:
        whole = read_whole(*read(line, plan_of))
        assert stored(known) == stored(whole)
        assert known.need.input_tokens == pytest.approx(whole.need.input_tokens, abs=12)
    elif shaped is not None:
        with suppress(InvalidRequest):
            alike.learn(shaped, *read(line, plan_of))
    return known is not None


def retold(line: dict, text: str) -> dict:
    """Return a line with other texts where a conversation has some."""
    if "prompt" in line:
        return {**line, "prompt": text}
    body = dict(line.get("body") or line.get("params") or line)
    for key in ("messages", "input", "instructions", "system"):
        if isinstance(body.get(key), str):
            body[key] = text
        elif isinstance(body.get(key), list):
            body[key] = [
                {**each, "content": text} if isinstance(each, dict) and isinstance(each.get("content"), str) else each
                for each in body[key]
            ]
    return body if "messages" in line else {**line, "body" if "body" in line else "params": body}


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=4), text=TEXT)
def test_a_line_like_an_earlier_one_becomes_the_job_that_reading_it_whole_makes(lines, text, plan_of) -> None:
    alike = JobTemplates()
    for line in (*lines, *(retold(each, text) for each in lines)):
        compare(alike, json.dumps(line).encode(), plan_of)
        compare(alike, line, plan_of)


def chat_line(name: str, text: str, **body) -> bytes:
    body = {"model": "smart", "messages": [{"role": "user", "content": text}], **body}
    return json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}).encode()


def conversation(text: str) -> list[dict]:
    """Return messages that differ from each other, and with ``text``."""
    roles = ("system", "user", "assistant", "user")
    return [{"role": role, "content": f"{role} {at}: {text}"} for at, role in enumerate(roles)]


def test_the_lines_of_a_batch_are_alike_and_so_are_waiting_calls(plan_of) -> None:
    kinds = (
        lambda n: chat_line(f"c{n}", f"text {n}", tools=[TOOL], response_format=SCHEMA, max_tokens=100),
        lambda n: json.dumps({"custom_id": f"r{n}", "url": "/v1/responses",
                              "body": {"model": "smart", "input": f"text {n}", "instructions": f"be {n}"}}).encode(),
        lambda n: json.dumps({"custom_id": f"e{n}", "url": "/v1/embeddings",
                              "body": {"model": "openai/embed", "input": f"text {n}"}}).encode(),
        lambda n: json.dumps({"url": "/v1/chat/completions",
                              "body": {"model": "smart", "messages": conversation(f"{n}")}}).encode(),
        lambda n: json.dumps({"model": "smart", "prompt": f"text {n}", "system": "be brief"}).encode(),
        lambda n: json.dumps({"model": "smart", "messages": conversation(f"{n}")}).encode(),
        lambda n: json.dumps({"model": "smart", "messages": conversation(f"{n}")[1:], "system": "be brief"}).encode(),
        lambda n: json.dumps({"custom_id": f"m{n}", "params": {"model": "smart", "max_tokens": 9, "system": f"be {n}",
                              "messages": [{"role": "user", "content": [{"type": "text", "text": f"{n}"}]}]}}).encode(),
    )  # fmt: skip
    alike = JobTemplates()
    for line_of in kinds:
        assert [compare(alike, line_of(number), plan_of) for number in range(3)] == [False, True, True]


def test_a_line_is_the_same_as_a_dict_and_as_a_slice_of_a_body(plan_of) -> None:
    """Of whichever form the first was."""
    for line in (json.loads(chat_line("a", "text")), {"custom_id": "a", "model": "smart", "prompt": "text"}):
        written = orjson.dumps(line)
        forms = (line, written, msgspec.json.decode(b"[" + written + b"]", type=list[msgspec.Raw])[0])
        for first in forms:
            alike = JobTemplates()
            compare(alike, first, plan_of)
            assert all(compare(alike, form, plan_of) for form in forms)


@pytest.mark.parametrize(
    "odd",
    [
        {"tools": ()},
        {"temperature": float("nan")},
        {"max_tokens": 10**20},
        {7: "seven"},
        {"system": "\ud800"},
        {"user": UUID(int=7)},
        {"seed": object()},
    ],
)
def test_a_dict_that_json_would_not_give_back_is_read_whole(odd) -> None:
    assert shape_of({"model": "smart", "prompt": "text"})
    assert shape_of({"model": "smart", "prompt": "text", **odd}) is None


def test_messages_that_say_the_same_are_no_pattern_for_others(plan_of) -> None:
    """Of a system prompt and a turn with equal words nobody could tell which is which."""
    same = {"model": "smart", "messages": [{"role": role, "content": "a"} for role in ("system", "user")]}
    other = {"model": "smart", "messages": [{"role": role, "content": role} for role in ("system", "user")]}
    alike = JobTemplates()
    assert [compare(alike, line, plan_of) for line in (same, other, other)] == [False, False, True]


def test_what_is_said_in_another_way_is_read_whole(plan_of) -> None:
    alike = JobTemplates()
    assert not compare(alike, chat_line("a", "text"), plan_of)
    for odd in (
        chat_line("a", " "),
        chat_line("", "text"),
        chat_line("a", "text", max_tokens=7),
        chat_line("a", "text", messages=[{"role": "user", "content": "text", "name": "n"}]),
        chat_line("a", "text").replace(b'"text"', rb'"\ud800"'),
        chat_line("a", "text").replace(b'"text"', b'"\xff"'),
        chat_line("a", "text").replace(b'"custom_id"', b'"custom_id": "\xff", "custom_id"'),
        chat_line("a", "x" * LONGEST_LINE),
        b"[]",
    ):
        shaped = take_apart(odd)
        assert shaped is None or alike.read(shaped) is None


def test_few_shapes_are_remembered_and_none_that_is_large(plan_of) -> None:
    alike = JobTemplates()
    large = {"tools": [{**TOOL, "function": {"name": "w", "description": "x" * LARGEST_SHAPE}}]}
    assert [compare(alike, chat_line(str(n), "text", **large), plan_of) for n in range(2)] == [False, False]
    for most in range(1, MOST_SHAPES + 2):
        compare(alike, chat_line("a", "text", max_tokens=most), plan_of)
    assert not compare(alike, chat_line("a", "text", max_tokens=1), plan_of)
    assert compare(alike, chat_line("a", "text", max_tokens=MOST_SHAPES + 1), plan_of)
