"""Whatever stands on the wire or in a line, only the errors that were promised come out."""

import copy
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import InvalidRequest, Unmappable
from holdfast.model.fault import Fault
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Output, Request, Role, Text, ToolUse, Turn
from holdfast.model.route import Api
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.batch_line import ParsedLine, read_job
from holdfast.wire.faults import read_bad_answer, read_fault
from holdfast.wire.limits import read_limits
from holdfast.wire.validate import check
from wire.requests import SAYABLE
from wire.test_round_trips import DIALECTS, every_api

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
CALLS = Reply(
    text="x",
    tool_calls=(ToolUse(id="c", name="f", input={"a": 1}),),
    finish=Finish.TOOL_CALLS,
    usage=Usage(),
    model="m",
)
LINE = {
    "custom_id": "a", "model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "auto", "stop": ["x"],
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "native": {"openai-chat": {}}, "metadata": {"a": "b"}, "expires_in": "5m", "priority": "batch",
}  # fmt: skip


def spoilt(data: st.DataObject, whole: Any) -> Any:
    """``whole`` with one value somewhere replaced by anything, or taken away."""
    whole = copy.deepcopy(whole)
    here = whole
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return whole
        key = data.draw(st.sampled_from(keys))
        if isinstance(here[key], dict | list) and here[key] and data.draw(st.booleans()):
            here = here[key]
            continue
        if isinstance(here, dict) and data.draw(st.booleans()):
            del here[key]
        else:
            here[key] = data.draw(anything)
        return whole


@every_api
@given(data=st.data())
def test_a_spoilt_answer_is_a_reply_or_a_bad_answer(api, data):
    body = spoilt(data, DIALECTS[api].write_reply(CALLS, "1"))
    outcome: object
    try:
        outcome = DIALECTS[api].read_reply(body)
    except BadAnswer as error:
        outcome = read_bad_answer(api, error, {})
    assert isinstance(outcome, Reply | Fault)


@every_api
@given(body=anything)
def test_any_json_is_a_reply_or_a_bad_answer(api, body):
    with pytest.raises(BadAnswer) as caught:
        DIALECTS[api].read_reply(body)
    assert isinstance(read_bad_answer(api, caught.value, {}), Fault)


@every_api
@given(data=st.data())
def test_a_spoilt_request_is_a_request_or_invalid(api, data):
    try:
        body, _ = DIALECTS[api].write_request(data.draw(SAYABLE[api]), "m")
    except Unmappable:
        return
    with suppress(InvalidRequest):
        assert isinstance(DIALECTS[api].read_request(spoilt(data, body)), Request)


@given(data=st.data())
def test_a_spoilt_line_is_a_job_or_invalid(data):
    with suppress(InvalidRequest):
        assert isinstance(read_job(spoilt(data, LINE)), ParsedLine)


@given(st.text(max_size=30) | st.integers() | st.none() | st.lists(st.text(max_size=5)))
def test_what_is_no_object_is_no_job(value):
    with pytest.raises(InvalidRequest, match="expected an object"):
        read_job(value)


@every_api
@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=30) | anything.map(lambda value: orjson.dumps({"error": value})).filter(bool),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "content-type", "request-id"]), st.text(max_size=8)
    ),
)
def test_any_refusal_is_a_fault(api, status, body, headers):
    assert isinstance(read_fault(api, status, headers, body), Fault)


@given(
    st.dictionaries(
        st.sampled_from(
            [f"x-ratelimit-{what}-requests" for what in ("limit", "remaining", "reset")]
            + [f"anthropic-ratelimit-requests-{what}" for what in ("limit", "remaining", "reset")]
        ),
        st.text(max_size=8) | st.integers(-5, 5).map(str),
    )
)
def test_any_headers_tell_limits_above_zero_or_none(headers):
    assert all(seen.per_minute > 0 for seen in read_limits(headers).values())


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = {"type": "object", "properties": {"a": leaf}, "required": ["a"], "additionalProperties": False}
    return leaf


def test_a_schema_that_is_nested_too_deeply_is_refused():
    shape = {"type": "json_schema", "schema": nested(400, {"type": "string"})}
    with pytest.raises(InvalidRequest, match="too deeply"):
        read_job({"model": "m", "prompt": "x", "response_format": shape})


@every_api
def test_a_schema_that_is_accepted_can_be_written_and_checked(api):
    depth = 1
    while True:
        try:
            shape = {"type": "json_schema", "schema": nested(depth, {"type": "string"})}
            request = read_job({"model": "m", "prompt": "x", "response_format": shape}).request
        except InvalidRequest:
            break
        DIALECTS[api].write_request(request, "m")
        check(request, CALLS.model_copy(update={"tool_calls": (), "text": '{"a":' * depth + '""' + "}" * depth}))
        depth *= 2
    assert depth > 8


def test_a_check_never_raises_on_a_deep_answer():
    request = Request(
        turns=(Turn(role=Role.USER, parts=(Text(text="x"),)),),
        output=Output(json_schema={"type": "object", "properties": {"a": {"$ref": "#"}}}),
    )
    deep = CALLS.model_copy(update={"tool_calls": (), "text": '{"a":' * 500 + "{}" + "}" * 500})
    assert check(request, deep) is None


@every_api
def test_a_request_that_is_nested_too_deeply_is_refused(api):
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "input": "x", "extra": nested(60, {})}
    with pytest.raises(InvalidRequest, match="too deeply"):
        DIALECTS[api].read_request(body)


def test_calls_of_servers_that_send_no_ids_get_some_that_no_other_answer_has():
    """An id is a label in a whole conversation: one that only counts would come again in the next turn."""
    function = {"name": "f", "arguments": {"a": 1}}
    calls = [{"function": function}, {"id": "", "function": function}, *[{"id": "x", "function": function}] * 2]
    choices = [{"message": {"content": None, "tool_calls": calls}, "finish_reason": "stop"}]
    first, second = (DIALECTS[Api.OPENAI_CHAT].read_reply({"id": id_, "choices": choices}) for id_ in ("1", "2"))
    assert [call.id == "x" for call in first.tool_calls] == [False, False, True, False]
    assert len({call.id for reply in (first, second) for call in reply.tool_calls}) == 7
    assert [note.field for note in first.notes] == [f"reply.tool_calls[{index}].id" for index in (0, 1, 3)]
    assert first.finish is Finish.TOOL_CALLS
