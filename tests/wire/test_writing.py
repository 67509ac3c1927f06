"""How each thing is said in each format, and what is told where it cannot be said."""

import pytest

from holdfast.model.errors import Unmappable
from holdfast.model.request import (
    Document,
    Image,
    Output,
    Request,
    Role,
    Text,
    Thought,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.chat import COMPATIBLE, GEMINI

ALL = (anthropic, chat, responses)
PICTURE = Image(media_type="image/png", data="AAAA")
TOOL = Tool(name="f", description="d", parameters={"type": "object"})


def user(*parts):
    return Turn(role=Role.USER, parts=tuple(Text(text=p) if isinstance(p, str) else p for p in parts))


def assistant(*parts):
    return Turn(role=Role.ASSISTANT, parts=tuple(Text(text=p) if isinstance(p, str) else p for p in parts))


def ask(*turns, **fields):
    return Request(turns=turns or (user("x"),), **fields)


def body(wire, request, model="m"):
    return wire.write_request(request, model)[0]


def changes(wire, request, model="m"):
    return {each.field: each.note for each in wire.write_request(request, model)[1].notes}


# ---- system and turns


def test_system_turns_at_the_beginning_join_the_system_prompt_of_anthropic():
    turns = (Turn(role=Role.SYSTEM, parts=(Text(text="b"),)), user("x"))
    assert body(anthropic, ask(*turns, system="a"))["system"] == "a\n\nb"


def test_a_system_turn_in_the_middle_keeps_its_place():
    request = ask(user("x"), Turn(role=Role.SYSTEM, parts=(Text(text="now brief"),)), user("y"))
    assert [m["role"] for m in body(chat, request)["messages"]] == ["user", "system", "user"]
    assert [m["role"] for m in body(responses, request)["input"]] == ["user", "system", "user"]


def test_neighbours_of_one_role_are_one_message_to_anthropic():
    request = ask(user("a"), user("b"), assistant("c"), assistant("d"), user("e"))
    (first, second, third) = body(anthropic, request)["messages"]
    assert [block["text"] for block in first["content"]] == ["a", "b"]
    assert [block["text"] for block in second["content"]] == ["c", "d"]
    assert third == {"role": "user", "content": "e"}


def test_results_stand_before_text_in_a_turn_to_anthropic():
    result = ToolResult(id="call_1", parts=(Text(text="r"),))
    request = ask(user("x"), assistant(ToolUse(id="call_1", name="f", input={})), user("then", result))
    assert [block["type"] for block in body(anthropic, request)["messages"][2]["content"]] == ["tool_result", "text"]


def test_empty_text_is_left_out_and_told_to_anthropic_alone():
    request = ask(user("", "x"))
    assert body(anthropic, request)["messages"] == [{"role": "user", "content": "x"}]
    assert "turns[0].parts[0]" in changes(anthropic, request)
    assert changes(chat, request) == {}


@pytest.mark.parametrize("turns", [(assistant("a"), user("b")), (user("a"), assistant("b")), (user(""),)])
def test_anthropic_refuses_turns_that_it_cannot_answer(turns):
    with pytest.raises(Unmappable):
        anthropic.write_request(ask(*turns), "claude-opus-5")


def test_a_begun_answer_is_sent_to_models_that_continue_one():
    request = ask(user("a"), assistant("The answer is ("))
    assert body(anthropic, request, "claude-haiku-4-5")["messages"][-1]["role"] == "assistant"


def test_anthropic_needs_a_maximum_and_gets_one():
    assert body(anthropic, ask())["max_tokens"] == 8192
    assert changes(anthropic, ask()) == {}
    assert "max_completion_tokens" not in body(chat, ask())


# ---- parts


def test_a_picture_in_each_format():
    request = ask(user("what?", PICTURE))
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    url = "data:image/png;base64,AAAA"
    assert body(anthropic, request)["messages"][0]["content"][1] == {"type": "image", "source": source}
    assert body(chat, request)["messages"][0]["content"][1] == {"type": "image_url", "image_url": {"url": url}}
    assert body(responses, request)["input"][0]["content"][1] == {"type": "input_image", "image_url": url}


def test_the_detail_of_a_picture_is_lost_on_anthropic_and_told():
    request = ask(user(PICTURE.model_copy(update={"detail": "high"})))
    assert list(changes(anthropic, request)) == ["turns[0].parts[0].detail"]
    assert changes(chat, request) == {}


def test_a_kind_of_picture_that_anthropic_does_not_take_is_refused():
    with pytest.raises(Unmappable, match="image/tiff"):
        anthropic.write_request(ask(user(Image(media_type="image/tiff", data="AAAA"))), "m")


def test_a_document_in_each_format():
    request = ask(user(Document(media_type="application/pdf", data="AAAA", title="a.pdf")))
    source = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    url = "data:application/pdf;base64,AAAA"
    (document,) = body(anthropic, request)["messages"][0]["content"]
    (file,) = body(chat, request)["messages"][0]["content"]
    (sent,) = body(responses, request)["input"][0]["content"]
    assert document == {"type": "document", "source": source, "title": "a.pdf"}
    assert file == {"type": "file", "file": {"filename": "a.pdf", "file_data": url}}
    assert sent == {"type": "input_file", "filename": "a.pdf", "file_data": url}


def test_a_document_behind_a_url_cannot_be_said_in_chat():
    with pytest.raises(Unmappable, match="URL"):
        chat.write_request(ask(user(Document(url="https://example.org/a.pdf"))), "m")


def test_sealed_reasoning_stays_with_its_provider():
    block = {"type": "thinking", "thinking": "Hm.", "signature": "E"}
    request = ask(user("a"), assistant(Thought(dialect="anthropic", block=block), "b"), user("c"))
    assert body(anthropic, request)["messages"][1]["content"][0] == block
    for wire in (chat, responses):
        assert "Hm." not in str(body(wire, request))
        assert list(changes(wire, request)) == ["turns[1].parts[0]"]


# ---- tools

CONVERSATION = (
    user("x"),
    assistant("I look.", ToolUse(id="call_1", name="f", input={"a": 1}), ToolUse(id="call_2", name="f", input={})),
    user(
        ToolResult(id="call_1", parts=(Text(text="one"),)),
        ToolResult(id="call_2", parts=(Text(text="two"),), is_error=True),
        "go on",
    ),
)


def test_a_conversation_with_tools_in_chat():
    messages = body(chat, ask(*CONVERSATION))["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "tool", "user"]
    assert [c["id"] for c in messages[1]["tool_calls"]] == ["call_1", "call_2"]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert messages[2] == {"role": "tool", "tool_call_id": "call_1", "content": "one"}
    assert list(changes(chat, ask(*CONVERSATION))) == ["turns[2].parts[1].is_error"]


def test_a_conversation_with_tools_in_responses():
    items = body(responses, ask(*CONVERSATION))["input"]
    kinds = [item.get("type", item.get("role")) for item in items]
    assert kinds == [
        "user", "assistant", "function_call", "function_call", "function_call_output", "function_call_output", "user"
    ]  # fmt: skip
    assert items[2]["call_id"] == items[4]["call_id"] == "call_1"


def test_a_conversation_with_tools_to_anthropic():
    _, said, back = body(anthropic, ask(*CONVERSATION))["messages"]
    assert said["content"][1] == {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}
    assert back["content"][1]["is_error"] is True
    assert changes(anthropic, ask(*CONVERSATION)) == {}


def test_a_picture_in_a_result_moves_behind_the_results_in_chat_and_is_told():
    request = ask(user("x"), assistant(ToolUse(id="c", name="f", input={})), user(ToolResult(id="c", parts=(PICTURE,))))
    messages = body(chat, request)["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "user"]
    assert messages[3]["content"][1]["type"] == "image_url"
    assert list(changes(chat, request)) == ["turns[2].parts[0].parts[0]"]


def test_a_strange_call_id_becomes_the_same_stand_in_everywhere():
    strange = "functions.f:0"
    request = ask(
        user("x"),
        assistant(ToolUse(id=strange, name="f", input={})),
        user(ToolResult(id=strange, parts=(Text(text="r"),))),
    )
    _, said, back = body(anthropic, request)["messages"]
    assert said["content"][0]["id"] == back["content"][0]["tool_use_id"] != strange


@pytest.mark.parametrize(
    ("choice", "to_anthropic", "to_chat", "to_responses"),
    [
        (ToolChoice(mode="auto"), {"type": "auto"}, "auto", "auto"),
        (ToolChoice(mode="any"), {"type": "any"}, "required", "required"),
        (ToolChoice(mode="none"), {"type": "none"}, "none", "none"),
        (
            ToolChoice(mode="tool", name="f"),
            {"type": "tool", "name": "f"},
            {"type": "function", "function": {"name": "f"}},
            {"type": "function", "name": "f"},
        ),
    ],
)
def test_the_choice_of_a_tool_in_each_format(choice, to_anthropic, to_chat, to_responses):
    said = [body(wire, ask(tools=(TOOL,), tool_choice=choice))["tool_choice"] for wire in ALL]
    assert said == [to_anthropic, to_chat, to_responses]


def test_one_call_at_a_time_in_each_format():
    request = ask(tools=(TOOL,), parallel_tools=False)
    assert body(anthropic, request)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body(chat, request)["parallel_tool_calls"] is False
    assert body(responses, request)["parallel_tool_calls"] is False


def test_a_tool_without_strictness_is_not_made_strict_by_a_default():
    assert "strict" not in body(chat, ask(tools=(TOOL,)))["tools"][0]["function"]
    assert body(responses, ask(tools=(TOOL,)))["tools"][0]["strict"] is False


def test_a_tool_name_that_openai_refuses_cannot_be_said_there():
    named = ask(tools=(TOOL.model_copy(update={"name": "a" * 65}),))
    assert body(anthropic, named)["tools"]
    for wire in (chat, responses):
        with pytest.raises(Unmappable, match="tool name"):
            wire.write_request(named, "m")


# ---- the shape of the answer

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def test_a_schema_in_each_format():
    request = ask(output=Output(name="n", json_schema=CLOSED, strict=True))
    assert body(anthropic, request)["output_config"] == {"format": {"type": "json_schema", "schema": CLOSED}}
    named = {"name": "n", "schema": CLOSED, "strict": True}
    assert body(chat, request)["response_format"] == {"type": "json_schema", "json_schema": named}
    assert body(responses, request)["text"] == {"format": {"type": "json_schema", **named}}
    assert [list(changes(wire, request)) for wire in ALL] == [["output.name"], [], []]


def test_what_anthropic_cannot_enforce_is_told_in_words():
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "description": "Count."}}}
    request = ask(output=Output(json_schema=schema))
    said = body(anthropic, request)["output_config"]["format"]["schema"]
    assert said["properties"]["n"] == {"type": "integer", "description": "Count. (minimum: 1)"}
    assert said["additionalProperties"] is False
    assert "minimum" in changes(anthropic, request)["output.json_schema"]


def test_properties_named_like_keywords_are_left_alone():
    schema = {"type": "object", "properties": {"pattern": {"type": "string"}, "minimum": {"type": "integer"}}}
    said = body(anthropic, ask(output=Output(json_schema=schema)))["output_config"]["format"]["schema"]
    assert said["properties"] == schema["properties"]


@pytest.mark.parametrize("schema", [None, {"type": "object", "additionalProperties": {"type": "integer"}}])
def test_a_shape_that_anthropic_has_no_word_for_is_asked_for_in_the_prompt(schema):
    request = ask(system="Be brief.", output=Output(json_schema=schema))
    said = body(anthropic, request)
    assert "output_config" not in said
    assert said["system"].startswith("Be brief.\n\nAnswer with")
    assert len(changes(anthropic, request)) == 1


# ---- options


def test_sampling_is_gone_on_anthropic_and_told():
    request = ask(temperature=0.5, top_p=0.9)
    assert sorted(changes(anthropic, request)) == ["temperature", "top_p"]
    assert body(chat, request)["temperature"] == body(responses, request)["temperature"] == 0.5


@pytest.mark.parametrize("wire", [chat, responses])
def test_models_that_reason_get_no_sampling(wire):
    request = ask(temperature=0.5)
    assert "temperature" not in body(wire, request, "gpt-5.4")
    assert list(changes(wire, request, "gpt-5.4")) == ["temperature"]
    awake = ask(temperature=0.5, effort="none")
    assert body(wire, awake, "gpt-5.4")["temperature"] == 0.5


def test_stop_sequences_in_each_format():
    request = ask(stop=("END", " "))
    assert body(anthropic, request)["stop_sequences"] == ["END"]
    assert "stop" in changes(anthropic, request)
    assert body(chat, request)["stop"] == ["END", " "]
    assert list(changes(responses, request)) == ["stop"]
    with pytest.raises(Unmappable, match="stop sequences"):
        chat.write_request(ask(stop=("a", "b", "c", "d", "e")), "m")


@pytest.mark.parametrize(
    ("effort", "said", "told"), [("max", "max", False), ("minimal", "low", True), ("none", None, True)]
)
def test_effort_to_anthropic(effort, said, told):
    request = ask(effort=effort)
    assert body(anthropic, request).get("output_config", {}).get("effort") == said
    assert ("effort" in changes(anthropic, request)) is told
    assert body(chat, request)["reasoning_effort"] == effort
    assert body(responses, request)["reasoning"] == {"effort": effort}


def test_the_end_user_in_each_format():
    request = ask(user="u-1")
    assert body(anthropic, request)["metadata"] == {"user_id": "u-1"}
    assert body(chat, request)["safety_identifier"] == body(responses, request)["safety_identifier"] == "u-1"


def test_fields_of_one_format_are_told_where_they_are_dropped():
    request = ask(native={"anthropic": {"service_tier": "auto"}})
    assert body(anthropic, request)["service_tier"] == "auto"
    assert changes(chat, request) == {"service_tier": "dropped: only anthropic knows it"}


def test_fields_that_the_two_openai_formats_share_move_between_them():
    request = ask(native={"openai-chat": {"metadata": {"a": "b"}, "seed": 7}})
    assert body(responses, request)["metadata"] == {"a": "b"}
    assert list(changes(responses, request)) == ["seed"]


def test_state_kept_at_a_provider_cannot_move():
    request = ask(native={"openai-responses": {"previous_response_id": "resp_1"}})
    assert body(responses, request)["previous_response_id"] == "resp_1"
    for wire in (anthropic, chat):
        with pytest.raises(Unmappable, match="previous_response_id"):
            wire.write_request(request, "m")


# ---- servers that speak Chat Completions in their own way


def test_compatible_servers_get_the_older_names():
    said, report = chat.write_request(ask(max_tokens=5, user="u"), "llama3", COMPATIBLE)
    assert (said["max_tokens"], said["user"], report.notes) == (5, "u", ())
    assert chat.write_request(ask(max_tokens=5), "gpt-5.4", COMPATIBLE)[0]["max_completion_tokens"] == 5


def test_gemini_gets_only_what_it_knows():
    request = ask(user="u", native={"openai-chat": {"seed": 7, "extra_body": {}}})
    said, report = chat.write_request(request, "gemini-3-pro", GEMINI)
    assert "extra_body" in said
    assert sorted(change.field for change in report.notes) == ["seed", "user"]
