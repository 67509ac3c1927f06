"""What becomes of what was left behind: choices, results and turns, each with its right value."""

import pytest

from holdfast.model.errors import Unmappable
from holdfast.model.request import Output
from holdfast.wire import anthropic, chat, responses
from wire.test_corrections import CLOSED, OPENAI_FORMATS
from wire.test_writing import ask, body, changes

# ---- choices of tools that are left behind


def test_a_choice_is_told_where_no_tool_is_left_and_refused_where_one_is_demanded():
    line = {
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}],
        "tools": [{"type": "web_search_20250305", "name": "w"}],
    }
    for wire in OPENAI_FORMATS:
        free = anthropic.read_request({**line, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}})
        assert "tool_choice" not in body(wire, free)
        assert set(changes(wire, free)) == {"tools[0] (type web_search_20250305)", "tool_choice", "parallel_tool_calls"}
        for choice in ({"type": "any"}, {"type": "tool", "name": "w"}):
            with pytest.raises(Unmappable, match="demands"):
                wire.write_request(anthropic.read_request({**line, "tool_choice": choice}), "m")


@pytest.mark.parametrize("wire", OPENAI_FORMATS)
def test_the_name_of_a_shape_is_written_in_openais_alphabet_and_told(wire):
    request = ask(output=Output(name="my answer, v2", json_schema=CLOSED))
    assert "'name': 'my_answer__v2'" in str(body(wire, request))
    assert list(changes(wire, request)) == ["output.name"]


# ---- what is left of a conversation

NEW = {"type": "launched_next_month"}


@pytest.mark.parametrize("wire", OPENAI_FORMATS)
def test_a_block_that_is_left_out_is_told_by_its_place_and_a_last_turn_of_nothing_else_is_refused(wire):
    def line(*turns):
        return anthropic.read_request({"max_tokens": 9, "system": "s", "messages": list(turns)})

    beside = line({"role": "user", "content": [NEW, {"type": "text", "text": "x"}]})
    assert changes(wire, beside) == {
        "messages[0].content[0] (type launched_next_month)": "dropped: only anthropic knows it"
    }  # fmt: skip
    for turns in (
        ({"role": "user", "content": [NEW]},),
        ({"role": "user", "content": "x"}, {"role": "new", "content": "y"}),
    ):
        with pytest.raises(Unmappable, match=r"nothing is left of turns\[\d\], the last turn"):
            wire.write_request(line(*turns), "m")


@pytest.mark.parametrize("wire", [anthropic, responses])
def test_the_result_of_a_call_that_is_left_out_is_left_out_with_it_and_told(wire):
    custom = {"id": "call_1", "type": "custom", "custom": {"name": "f", "input": "i"}}
    turns = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "a", "tool_calls": [custom]},
        {"role": "tool", "tool_call_id": "call_1", "content": "r"},
        {"role": "user", "content": "y"},
    ]
    request = chat.read_request({"messages": turns})
    assert "call_1" not in str(body(wire, request))
    assert {"messages[1].tool_calls[0] (type custom)", "turns[2].parts[0]"} <= set(changes(wire, request))
    assert "call_1" in str(body(chat, request))


@pytest.mark.parametrize("wire", [anthropic, responses])
@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "image_url", "image_url": {"url": "gs://bucket/a.png"}},
    ],
)
def test_what_the_question_is_about_refuses_a_format_that_cannot_have_it(wire, part):
    asked = {"role": "user", "content": [{"type": "text", "text": "what is this?"}, part]}
    with pytest.raises(Unmappable, match=r"messages\[0\].content\[1\]"):
        wire.write_request(chat.read_request({"messages": [asked]}), "m")
