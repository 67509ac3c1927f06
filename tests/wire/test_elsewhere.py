"""What one format says well, and another would refuse or take for something else: it is changed, and told."""

import pytest

from holdfast.model.request import Output, Tool
from holdfast.model.route import Dialect
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.chat.server_profile import SERVER_PROFILES
from wire.test_writing import ask, assistant, body, changes, user

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
OPTIONAL = CLOSED | {"required": []}


def strict_tool(schema):
    return ask(tools=(Tool(name="f", parameters=schema, strict=True),))


@pytest.mark.parametrize("wire", [chat, responses])
def test_a_strict_tool_stays_strict_where_openai_takes_its_schema_and_else_it_is_told(wire):
    def strictness(request):
        tool = body(wire, request)["tools"][0]
        return tool.get("function", tool)["strict"]

    assert strictness(strict_tool(CLOSED)) is True
    assert changes(wire, strict_tool(CLOSED)) == {}
    for schema in (OPTIONAL, {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]}):
        assert strictness(strict_tool(schema)) is False
        assert set(changes(wire, strict_tool(schema))) == {"tools[f].strict"}


def test_a_strict_tool_is_written_for_anthropic_as_its_decoding_takes_it_and_told():
    ruled = CLOSED | {"properties": {"a": {"type": "string", "pattern": "^a"}}}
    (tool,) = body(anthropic, strict_tool(ruled))["tools"]
    assert tool["strict"] is True
    assert tool["input_schema"]["properties"]["a"] == {"type": "string", "description": "(pattern: ^a)"}
    assert changes(anthropic, strict_tool(ruled)) == {"tools[f]": "rules of its schema are told in words: pattern"}
    assert changes(anthropic, strict_tool(CLOSED)) == {}


def test_a_strict_tool_with_an_open_object_is_not_strict_on_anthropic_and_told():
    request = strict_tool({"type": "object"})
    (tool,) = body(anthropic, request)["tools"]
    assert (tool["strict"], tool["input_schema"]) == (False, {"type": "object"})
    assert set(changes(anthropic, request)) == {"tools[f].strict"}


@pytest.mark.parametrize("wire", [chat, responses])
def test_a_shape_that_strict_decoding_refuses_goes_without_it_and_is_told(wire):
    def shaped(schema):
        return ask(output=Output(name="n", json_schema=schema, strict=True))

    assert changes(wire, shaped(CLOSED)) == {}
    assert set(changes(wire, shaped(OPTIONAL))) == {"output.strict"}


@pytest.mark.parametrize("wire", [chat, responses])
def test_an_answer_that_was_begun_for_anthropic_is_told_not_to_be_continued_by_openai(wire):
    line = {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]}
    begun = anthropic.read_request(line)
    assert set(changes(wire, begun)) == {"turns[1]"}
    assert changes(anthropic, begun, "claude-3-haiku") == {}
    assert changes(wire, ask(user("x"), assistant("so"))) == {}


@pytest.mark.parametrize("wire", [chat, responses])
def test_models_of_openai_that_know_no_effort_are_sent_none_and_it_is_told(wire):
    assert set(changes(wire, ask(effort="high"), "gpt-4o")) == {"effort"}
    assert "high" not in str(body(wire, ask(effort="high"), "gpt-4o"))
    assert changes(wire, ask(effort="high"), "gpt-5.4") == {}


@pytest.mark.parametrize(
    ("server", "effort", "sent"),
    [
        (Dialect.GEMINI, "max", "high"),
        (Dialect.GEMINI, "minimal", "minimal"),
        (Dialect.VLLM, "xhigh", "high"),
        (Dialect.OLLAMA, "none", "none"),
        (Dialect.LM_STUDIO, "minimal", "low"),
        (Dialect.LLAMA_CPP, "none", None),
        (Dialect.OPENROUTER, "max", "xhigh"),
        (Dialect.COMPATIBLE, "max", "max"),
    ],
)
def test_a_level_of_effort_that_a_server_does_not_know_becomes_the_nearest_one_and_is_told(server, effort, sent):
    written, report = chat.write_request(ask(effort=effort), "m", SERVER_PROFILES[server])
    assert written.get("reasoning_effort") == sent
    assert [change.field for change in report.notes] == ([] if sent == effort else ["effort"])


@pytest.mark.parametrize("wire", [chat, responses])
def test_an_end_users_id_that_is_too_long_for_openai_has_one_stand_in_and_is_told(wire):
    def told(user):
        return body(wire, ask(user=user))["safety_identifier"]

    assert told("u" * 128) == "u" * 128
    assert len(told("u" * 129)) == 64
    assert told("u" * 129) == told("u" * 129) != told("u" * 130)
    assert set(changes(wire, ask(user="u" * 129))) == {"user"}
