"""What an inbound body holds that a job cannot carry is refused by its place; nothing falls under the table."""

import pytest

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Role, Text, Thought, ToolResult
from holdfast.wire import anthropic, chat, responses

USER = {"role": "user", "content": "x"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{broken"}}
NAMELESS = {"type": "json_schema", "json_schema": {"schema": {}}}
ODD_RESULT = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "tool_reference"}]}
FILED = {"type": "input_image", "file_id": "f"}


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


def responses_with(*items, **keys):
    return responses.read_request({"model": "m", "input": list(items) or "x", **keys})


@pytest.mark.parametrize(
    ("read", "place"),
    [
        (lambda: said_in_chat(AUDIO), "messages[0].content[0]"),
        (lambda: said_in_chat({"type": "file", "file": {"file_id": "f"}}), "messages[0].content[0].file.file_id"),
        (lambda: said_in_chat({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}), "image_url.url"),
        (lambda: said_in_chat({"type": "image_url", "image_url": {"url": "data:image/png,AA"}}), "image_url.url"),
        (lambda: said_in_chat({"type": "image_url"}), "messages[0].content[0].image_url"),
        (lambda: chat_with(stream=True), "stream"),
        (lambda: chat_with(n=2), "n"),
        (lambda: chat_with(modalities=["text", "audio"]), "modalities"),
        (lambda: chat_with(web_search_options={}), "web_search_options"),
        (lambda: chat_with(functions=[]), "functions"),
        (lambda: chat_with(tools=[{"type": "custom", "custom": {"name": "x"}}]), "tools[0]"),
        (lambda: chat_with(max_tokens=5, max_completion_tokens=6), "max_tokens"),
        (lambda: chat_with(temperature="hot"), "temperature"),
        (lambda: calls_in_chat(CALL | {"type": "custom"}), "messages[1].tool_calls[0]"),
        (lambda: calls_in_chat(CALL), "messages[1].tool_calls[0].function.arguments"),
        (lambda: chat_with(messages=[USER, {"role": "assistant"}]), "messages[1].content"),
        (lambda: chat_with(response_format=NAMELESS), "response_format.json_schema.name"),
        (lambda: chat_with(response_format={"type": "grammar"}), "response_format.type"),
        (lambda: said_to_anthropic({"type": "search_result"}), "messages[0].content[0]"),
        (lambda: said_to_anthropic({"type": "image", "source": {"type": "file"}}), "content[0].source"),
        (lambda: said_to_anthropic({"type": "tool_use", "id": "a"}), "messages[0].content[0]"),
        (lambda: said_to_anthropic(ODD_RESULT), "messages[0].content[0].content[0]"),
        (lambda: anthropic_with(tools=[{"type": "web_search_20250305", "name": "web_search"}]), "tools[0]"),
        (lambda: anthropic_with(mcp_servers=[]), "mcp_servers"),
        (lambda: anthropic_with(stream=True), "stream"),
        (lambda: anthropic_with(messages=[{"role": "tool", "content": "x"}]), "messages[0].role"),
        (lambda: anthropic_with(messages=[{"role": "user"}]), "messages[0].content"),
        (lambda: anthropic_with(tool_choice={"type": "tool", "name": "f"}), "tool_choice"),
        (lambda: anthropic_with(tools=[{"name": "f", "input_schema": {}}] * 2), "tools"),
        (lambda: responses_with({"type": "item_reference", "id": "x"}), "input[0]"),
        (lambda: responses_with({"type": "web_search_call"}), "input[0]"),
        (lambda: responses_with({"role": "user", "content": [FILED]}), "input[0].content[0].file_id"),
        (lambda: responses_with({"role": "user", "content": [AUDIO]}), "input[0].content[0]"),
        (lambda: responses_with(background=True), "background"),
        (lambda: responses_with(tools=[{"type": "web_search"}]), "tools[0]"),
        (lambda: responses.read_request({"model": "m", "input": 5}), "input"),
    ],
)  # fmt: skip
def test_what_is_not_carried_is_refused_by_its_place(read, place):
    with pytest.raises(InvalidRequest) as caught:
        read()
    assert caught.value.where.endswith(place)
    assert len(str(caught.value)) > len(caught.value.where) + 10


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
    assert [change.field for change in report.notes] == ["system"]
