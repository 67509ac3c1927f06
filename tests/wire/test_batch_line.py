"""Input lines: three shapes, and errors that name the key and what was expected."""

import orjson
import pytest

from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority
from holdfast.model.request import Image, Request, Role, Text, Tool, ToolChoice, ToolResult, ToolUse, Turn
from holdfast.model.route import Api
from holdfast.wire.batch_line import read_job

HELLO = (Turn(role=Role.USER, parts=(Text(text="Hello."),)),)
MESSAGES = [{"role": "user", "content": "Hello."}]


def line(**keys):
    return read_job(orjson.loads(orjson.dumps(keys)))


def problem(value, default_model=None) -> str:
    with pytest.raises(InvalidRequest) as caught:
        read_job(value, default_model)
    return str(caught.value)


def test_a_plain_line_with_a_prompt():
    read = line(custom_id="a", model="smart", prompt="Hello.", system="Be brief.", max_tokens=9)
    assert (read.custom_id, read.model, read.api) == ("a", "smart", None)
    assert read.request == Request(turns=HELLO, system="Be brief.", max_tokens=9)


def test_a_plain_line_with_everything():
    read = line(
        model="smart", messages=MESSAGES, priority="interactive", expires_in="5m", metadata={"team": "a"},
        temperature=0, top_p=0.5, stop="END", effort="low", user="u-1", tool_choice="required",
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        parallel_tool_calls=False, response_format={"type": "json_object"}, native={"openai-chat": {"seed": 3}},
    )  # fmt: skip
    assert (read.priority, read.expires_in, read.metadata) == (Priority.INTERACTIVE, 300, {"team": "a"})
    assert read.request.tool_choice == ToolChoice(mode="any")
    assert read.request.output is not None
    assert read.request.native == {"openai-chat": {"seed": 3}}
    assert read.request.stop == ("END",)


def test_an_openai_batch_line():
    read = line(custom_id="a", method="POST", url="/v1/chat/completions", body={"model": "smart", "messages": MESSAGES})
    assert (read.model, read.api, read.request.turns) == ("smart", Api.OPENAI_CHAT, HELLO)


def test_an_openai_batch_line_of_the_responses_api():
    read = line(custom_id="a", url="/v1/responses", body={"model": "smart", "input": "Hello."})
    assert (read.model, read.api, read.request.turns) == ("smart", Api.OPENAI_RESPONSES, HELLO)


def test_an_anthropic_batch_line():
    read = line(custom_id="a", params={"model": "smart", "max_tokens": 5, "messages": MESSAGES})
    assert (read.model, read.api, read.request.turns) == ("smart", Api.ANTHROPIC, HELLO)


def test_a_neutral_request_is_taken_as_it_is():
    request = Request(turns=HELLO, effort="low")
    assert read_job({"model": "m", "request": request.model_dump(mode="json")}).request == request


def test_a_plain_line_takes_the_blocks_of_either_provider():
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
    back = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "2"}
    turns = [*MESSAGES, {"role": "assistant", "content": [call]}, {"role": "user", "content": [back]}]
    tool = {"name": "f", "input_schema": {"type": "object"}}
    read = line(model="m", messages=turns, tools=[tool]).request
    assert read.turns[1].parts == (ToolUse(id="toolu_1", name="f", input={"a": 1}),)
    assert read.turns[2].parts == (ToolResult(id="toolu_1", parts=(Text(text="2"),)),)
    assert read.tools == (Tool(name="f", parameters={"type": "object"}),)

    linked = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    read = line(model="m", messages=[{"role": "user", "content": linked}]).request
    assert read.turns[0].parts == (Image(url="https://example.org/a.png"),)


def test_a_tool_that_anthropic_runs_is_kept_for_it_in_a_plain_line():
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}
    read = line(model="m", prompt="x", tools=[search]).request
    assert [(each.wire, each.block) for each in read.provider_tools] == [("anthropic", search)]
    assert not read.tools


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "AAA", "function": {"name": "f"}},
        {"type": "web_search"},
        {"type": "custom", "custom": {"name": "f"}},
        {"type": 5, "function": {"name": "f"}},
    ],
)
def test_a_tool_of_an_unknown_kind_is_refused_in_a_plain_line_and_no_function_of_its_name(tool):
    said = problem({"model": "m", "prompt": "x", "tools": [tool]})
    assert said.startswith('tools[0].type: expected "function"; other tools')


def test_a_shape_may_be_given_with_or_without_a_name():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    flat = line(model="m", prompt="x", response_format={"type": "json_schema", "schema": schema})
    nested = line(
        model="m", prompt="x", response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    )
    assert flat.request.output.json_schema == nested.request.output.json_schema == schema
    assert (flat.request.output.name, nested.request.output.name) == ("answer", "n")


def test_the_default_model_is_for_lines_that_name_none():
    assert read_job({"prompt": "x"}, "smart").model == "smart"
    assert read_job({"prompt": "x", "model": "m"}, "smart").model == "m"
    assert read_job({"body": {"messages": [{"role": "user", "content": "x"}]}}, "smart").model == "smart"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(90, 90), (1.5, 1.5), ("90", 90), ("90s", 90), ("5m", 300), ("24h", 86400), ("2d", 172800), ("500ms", 0.5)],
)
def test_a_time_to_live_is_seconds_or_a_duration(value, seconds):
    assert line(model="m", prompt="x", expires_in=value).expires_in == seconds


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1], "the request: expected an object, got an array."),
        ({"prompt": "x"}, "model: is missing. Name one in the line or with --model."),
        ({"model": "m"}, "messages: expected either messages or prompt."),
        ({"model": "m", "prompt": "x", "messages": MESSAGES}, "messages: expected either messages or prompt."),
        ({"model": "m", "prmpt": "x"}, "prmpt: is not known here. Did you mean prompt?"),
        ({"model": "m", "prompt": "x", "max_token": 5}, "max_token: is not known here. Did you mean max_tokens?"),
        ({"model": "m", "messages": [{"role": "asistant", "content": "x"}]}, "messages[0].role: expected one of"),
        ({"model": "m", "messages": [*MESSAGES, {"role": "user", "content": []}]}, "messages[1].content: is an empty"),
        ({"model": "m", "prompt": 5}, "prompt: expected a string, got a number."),
        ({"model": 5, "prompt": "x"}, "model: expected a string, got a number."),
        ({"custom_id": 5, "model": "m", "prompt": "x"}, "custom_id: expected a string, got a number."),
        ({"model": "m", "prompt": "x", "max_tokens": 0}, "max_tokens: expected a whole number, at least 1"),
        ({"model": "m", "prompt": "x", "max_tokens": True}, "max_tokens: expected a whole number, at least 1"),
        ({"model": "m", "prompt": "x", "priority": "high"}, "priority: expected interactive or batch, got 'high'."),
        ({"model": "m", "prompt": "x", "expires_in": "soon"}, "expires_in: expected seconds above zero"),
        ({"model": "m", "prompt": "x", "expires_in": 0}, "expires_in: expected seconds above zero"),
        ({"model": "m", "prompt": "x", "metadata": {"a": 1}}, "metadata.a: expected a string."),
        ({"model": "m", "prompt": "x", "native": {"openai": {}}}, "native.openai: expected an object under"),
        ({"model": "m", "prompt": "x", "tool_choice": "required"}, "tool_choice: demands a tool call, but there are"),
        ({"model": "m", "prompt": "x", "response_format": {}}, "response_format: expected an object with a type such"),
        ({"model": "m", "prompt": "x", "response_format": {"schema": {}}}, "response_format.type: expected a text"),
        ({"model": "m", "prompt": "x", "response_format": {"type": None}}, "response_format.type: expected a text"),
        ({"model": "m", "prompt": "x", "response_format": {"type": "json_schema", "json_schema": {}}},
         "response_format.json_schema: expected an object with a schema."),
        ({"model": "m", "prompt": "x", "response_format": {"type": "text", "json_schema": {}}},
         "response_format.json_schema: is given, but the type is 'text'."),
        ({"model": "m", "messages": []}, "messages: needs at least one turn"),
        ({"body": {"model": "m"}}, "body.messages: is missing, and there is no url"),
        ({"body": {"model": "m", "messages": MESSAGES}, "url": "/v1/embeddings"}, "body.input: is missing"),
        ({"body": {"model": "m", "messages": MESSAGES}, "method": "GET"}, "method: expected POST."),
        ({"body": {"model": "m", "messages": [{"content": "x"}]}}, "body.messages[0].role: is missing."),
        ({"params": {"model": "m", "max_tokens": 5}}, "params.messages: is missing, and /v1/messages needs it."),
        ({"model": "m", "request": {"turns": [{"role": "user"}]}}, "request.turns.0.parts: Field required."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_named(value, said):
    assert said in problem(value)


def test_an_error_never_repeats_the_prompt():
    secret = {"model": "m", "messages": [{"role": "user", "content": {"my": "secret"}}]}
    assert "secret" not in problem(secret)


def test_a_schema_that_is_none_is_refused():
    shape = {"type": "json_schema", "schema": {"type": "objekt"}}
    assert "JSON Schema: is no JSON Schema: at $.type" in problem(
        {"model": "m", "prompt": "x", "response_format": shape}
    )


def test_what_a_plain_line_says_inside_of_known_objects_is_kept_for_chat_and_told_elsewhere():
    shape = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "new": 1}}
    tool = {"type": "function", "function": {"name": "f"}}
    read = line(model="m", prompt="x", response_format=shape, tools=[tool], tool_choice={**tool, "newer": 2}).request
    assert read.native == {
        "openai-chat": {"tool_choice": {"newer": 2}, "response_format": {"json_schema": {"new": 1}}}
    }  # fmt: skip
    odd = line(model="m", prompt="x", response_format={"type": "grammar", "grammar": "g"}).request
    assert (odd.output, odd.native) == (None, {"openai-chat": {"response_format": {"type": "grammar", "grammar": "g"}}})


def test_a_plain_lines_unknown_blocks_are_named():
    messages = [{"role": "user", "content": [{"type": "launched_next_month"}]}]
    assert line(model="m", messages=messages).request.unread == ("messages[0].content[0] (type launched_next_month)",)
