"""Everything that a format can say is read: into the neutral form, or kept for its own format with its place."""

import pytest

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Role, Text, Thought, ToolResult
from holdfast.wire import anthropic, chat, responses

USER = {"role": "user", "content": "x"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{broken"}}
F = {"function": {"name": "f"}}
OLD_RESULT = {"role": "function", "name": "f", "content": "x"}
PICTURE_FILE = {"type": "image", "source": {"type": "file", "file_id": "f"}}
ODD_RESULT = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "tool_reference"}]}
FILED = {"type": "input_image", "file_id": "f"}


def image_of(url):
    return {"type": "image_url", "image_url": {"url": url}}


def calls_in_chat(call):
    return chat_with(messages=[USER, {"role": "assistant", "tool_calls": [call]}])


def chat_with(**keys):
    return chat.read_request({"model": "m", "messages": [USER], **keys})


def said_in_chat(*parts, role="user"):
    return chat.read_request({"model": "m", "messages": [{"role": role, "content": list(parts)}]})


def anthropic_with(**keys):
    return anthropic.read_request({"model": "m", "max_tokens": 5, "messages": [USER], **keys})


def said_to_anthropic(*blocks, role="user"):
    return anthropic_with(messages=[{"role": role, "content": list(blocks)}])


def tool(name, **keys):
    return {"name": name, "input_schema": {}, **keys}


def responses_with(*items, **keys):
    return responses.read_request({"model": "m", "input": list(items) or "x", **keys})


@pytest.mark.parametrize(
    ("read", "place"),
    [
        (lambda: chat_with(temperature="hot"), "temperature"),
        (lambda: chat_with(temperature=10**400), "temperature"),
        (lambda: chat_with(messages=[]), "messages"),
        (lambda: chat_with(messages={"role": "user"}), "messages"),
        (lambda: chat_with(messages=["x"]), "messages[0]"),
        (lambda: chat_with(messages=[{"content": "x"}]), "messages[0].role"),
        (lambda: chat_with(messages=[{"role": "user"}]), "messages[0].content"),
        (lambda: chat_with(messages=[{"role": "user", "content": {"type": "text"}}]), "messages[0].content"),
        (lambda: chat_with(messages=[{"role": "user", "content": [5]}]), "messages[0].content[0]"),
        (lambda: chat_with(tools=[{"type": "function", "function": {}}]), "tools[0].function.name"),
        (lambda: said_to_anthropic({"type": "tool_use", "id": "a"}, role="assistant"), "messages[0].content[0].name"),
        (lambda: said_to_anthropic({"text": "x"}), "messages[0].content[0].type"),
        (lambda: anthropic_with(messages=[]), "messages"),
        (lambda: anthropic_with(messages=[{"role": "user"}]), "messages[0].content"),
        (lambda: anthropic_with(max_tokens=-1), "max_tokens"),
        (lambda: anthropic_with(tool_choice={"type": "tool", "name": "f"}), "tool_choice"),
        (lambda: responses.read_request({"model": "m", "input": 5}), "input"),
        (lambda: responses.read_request({"model": "m"}), "input"),
        (lambda: responses.read_request({"model": "m", "input": ["x"]}), "input[0]"),
    ],
)
def test_a_shape_that_no_server_of_its_format_could_take_is_refused_by_its_place(read, place):
    with pytest.raises(InvalidRequest) as caught:
        read()
    assert caught.value.where.endswith(place)
    assert len(str(caught.value)) > len(caught.value.where) + 10


def test_a_tool_that_is_given_twice_is_one_tool():
    read = anthropic_with(tools=[tool("f"), tool("g"), tool("f"), tool("f", description="another")])
    assert [(each.name, each.description) for each in read.tools] == [("f", None), ("g", None), ("f", "another")]


NEW = {"type": "launched_next_month", "data": {"b": 1, "a": 2}}


@pytest.mark.parametrize(
    ("read", "place"),
    [
        (lambda: said_in_chat(NEW), "messages[0].content[0] (type launched_next_month)"),
        (lambda: said_in_chat(NEW, role="assistant"), "messages[0].content[0] (type launched_next_month)"),
        (lambda: said_in_chat(AUDIO), "messages[0].content[0] (type input_audio)"),
        (lambda: said_in_chat({"type": "file", "file": {"file_id": "f"}}), "messages[0].content[0] (type file)"),
        (lambda: said_in_chat(image_of("gs://bucket/a.png")), "messages[0].content[0] (type image_url)"),
        (lambda: said_in_chat({"type": "image_url", "uuid": "u"}), "messages[0].content[0] (type image_url)"),
        (lambda: chat_with(messages=[USER, {"role": "critic", "content": "x"}]), "messages[1] (type critic)"),
        (lambda: chat_with(messages=[USER, OLD_RESULT]), "messages[1] (type function)"),
        (lambda: chat_with(tools=[{"type": "custom", "custom": {"name": "x"}}]), "tools[0] (type custom)"),
        (lambda: calls_in_chat(CALL | {"type": "custom"}), "messages[1].tool_calls[0] (type custom)"),
        (lambda: said_to_anthropic(NEW), "messages[0].content[0] (type launched_next_month)"),
        (lambda: said_to_anthropic({"type": "search_result"}), "messages[0].content[0] (type search_result)"),
        (lambda: said_to_anthropic(PICTURE_FILE), "messages[0].content[0] (type image)"),
        (lambda: said_to_anthropic(ODD_RESULT), "messages[0].content[0].content[0] (type tool_reference)"),
        (lambda: anthropic_with(tools=[{"type": "bash_20250124", "name": "b"}]), "tools[0] (type bash_20250124)"),
        (lambda: anthropic_with(messages=[USER, {"role": "tool", "content": "x"}]), "messages[1] (type tool)"),
        (lambda: responses_with(NEW), "input[0] (type launched_next_month)"),
        (lambda: responses_with({"id": "x"}), "input[0]"),
        (lambda: responses_with({"type": "item_reference", "id": "x"}), "input[0] (type item_reference)"),
        (lambda: responses_with({"role": "user", "content": [FILED]}), "input[0].content[0] (type input_image)"),
        (lambda: responses_with({"role": "user", "content": [AUDIO]}), "input[0].content[0] (type input_audio)"),
        (lambda: responses_with(tools=[{"type": "web_search"}]), "tools[0] (type web_search)"),
    ],
)  # fmt: skip
def test_what_only_its_own_format_knows_is_read_whole_and_its_place_is_named(read, place):
    assert read().unread == (place,)


@pytest.mark.parametrize(
    ("read", "native"),
    [
        (lambda: chat_with(stream=True), {"stream": True}),
        (lambda: chat_with(n=2), {"n": 2}),
        (lambda: chat_with(modalities=["text", "audio"]), {"modalities": ["text", "audio"]}),
        (lambda: chat_with(web_search_options={}), {"web_search_options": {}}),
        (lambda: chat_with(max_tokens=5, max_completion_tokens=6), {"max_tokens": 5}),
        (lambda: chat_with(response_format={"type": "grammar"}), {"response_format": {"type": "grammar"}}),
        (lambda: chat_with(tool_choice={"type": "allowed_tools"}), {"tool_choice": {"type": "allowed_tools"}}),
        (lambda: responses_with(background=True), {"background": True}),
        (lambda: anthropic_with(mcp_servers=[{"url": "u"}]), {"mcp_servers": [{"url": "u"}]}),
        (lambda: anthropic_with(tool_choice="new"), {"tool_choice": "new"}),
    ],
)
def test_a_field_that_a_queue_has_no_word_for_is_kept_for_its_own_format(read, native):
    assert next(iter(read().native.values())) == native


def test_unknown_keys_inside_of_known_objects_are_kept_where_they_stood():
    function = {"name": "f", "parameters": {"type": "object"}, "new": 1}
    read = chat_with(tools=[{"type": "function", "function": function}], tool_choice={"type": "function", "x": 1, **F})
    assert read.tools[0].native == {"openai-chat": {"function": {"new": 1}}}
    assert read.native == {"openai-chat": {"tool_choice": {"x": 1}}}
    shaped = {"format": {"type": "json_schema", "schema": {"type": "object"}, "new": 1}}
    assert anthropic_with(output_config=shaped).native == {"anthropic": {"output_config": {"format": {"new": 1}}}}
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA", "new": 1}
    (part,) = said_to_anthropic({"type": "image", "source": source}).turns[0].parts
    assert part.native == {"anthropic": {"source": {"new": 1}}}


def test_arguments_that_are_no_json_object_stay_the_text_that_they_are():
    call = calls_in_chat(CALL).turns[1].parts[0]
    assert call.input == "{broken"
    exact = CALL | {"function": {"name": "f", "arguments": '{"wei": 100000000000000000001, "a": 1}'}}
    assert list(calls_in_chat(exact).turns[1].parts[0].input.items()) == [("wei", 100000000000000000001), ("a", 1)]


def test_a_conversation_of_a_system_prompt_alone_is_one_turn():
    read = chat.read_request({"messages": [{"role": "system", "content": "s"}]})
    assert (read.system, [turn.role for turn in read.turns]) == (None, [Role.SYSTEM])


def test_a_request_that_goes_on_with_a_stored_one_needs_no_input():
    assert responses.read_request({"model": "m", "previous_response_id": "resp_1"}).turns == ()


def test_null_is_as_good_as_absent():
    assert chat_with(stop=None, tools=None, response_format=None, temperature=None) == chat_with()
    assert anthropic_with(system=None, tools=None) == anthropic_with()


def test_unknown_fields_are_kept_for_their_own_format():
    assert chat_with(seed=7, store=True).native == {"openai-chat": {"seed": 7, "store": True}}
    assert anthropic_with(thinking={"type": "adaptive"}).native == {"anthropic": {"thinking": {"type": "adaptive"}}}
    assert responses_with(truncation="auto").native == {"openai-responses": {"truncation": "auto"}}


def test_marks_on_parts_are_kept_for_their_own_format():
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    (part,) = said_to_anthropic(block).turns[0].parts
    assert part == Text(text="x", native={"anthropic": {"cache_control": {"type": "ephemeral"}}})


def test_sealed_reasoning_is_kept_whole():
    block = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    turns = [USER, {"role": "assistant", "content": [block, {"type": "text", "text": "y"}]}, USER]
    assert anthropic_with(messages=turns).turns[1].parts[0] == Thought(dialect="anthropic", block=block)


def test_the_first_system_message_is_the_system_prompt_and_later_ones_keep_their_place():
    system = {"role": "system", "content": "s"}
    developer = {"role": "developer", "content": "d"}
    read = chat.read_request({"messages": [system, USER, developer, USER]})
    assert read.system == "s"
    assert [turn.role for turn in read.turns] == [Role.USER, Role.SYSTEM, Role.USER]


def test_neighbouring_tool_messages_are_one_turn_of_results():
    results = [{"role": "tool", "tool_call_id": f"call_{n}", "content": "r"} for n in range(2)]
    read = chat.read_request({"messages": [USER, *results, USER]})
    assert [len(turn.parts) for turn in read.turns] == [1, 2, 1]
    assert all(isinstance(part, ToolResult) for part in read.turns[1].parts)


def test_items_of_one_answer_are_one_turn():
    reasoning = {"type": "reasoning", "id": "rs", "summary": []}
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "a", "annotations": []}],
    }
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    back = {"type": "function_call_output", "call_id": "c", "output": "r"}
    read = responses_with(USER, reasoning, said, call, back)
    assert [(turn.role, len(turn.parts)) for turn in read.turns] == [
        (Role.USER, 1),
        (Role.ASSISTANT, 3),
        (Role.USER, 1),
    ]


def test_several_system_blocks_keep_their_text_for_all_and_their_marks_for_anthropic():
    blocks = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}]
    read = anthropic_with(system=blocks)
    assert read.system == "a\n\nb"
    assert anthropic.write_request(read, "m")[0]["system"] == blocks
    body, report = chat.write_request(read, "m")
    assert body["messages"][0] == {"role": "system", "content": "a\n\nb"}
    assert [change.field for change in report.notes] == ["system", "system[0].cache_control"]
