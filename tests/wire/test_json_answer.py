"""Where JSON was asked for, wrapped JSON is unwrapped and told; nothing else is touched."""

import pytest

from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Output, Request, Role, Text, ToolUse, Turn
from holdfast.wire.json_answer import unwrap_json
from holdfast.wire.validate import check


def asking(output=None):
    return Request(turns=(Turn(role=Role.USER, parts=(Text(text="x"),)),), output=output)


def reply(text, **fields):
    return Reply(text=text, finish=Finish.STOP, usage=Usage(), model="m", **fields)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}```',
        '```JSON {"a": 1} ```',
        'Here it is:\n```json\r\n{"a": 1}\r\n```\nAnything else?',
        '<think>First ```this```.</think>\n{"a": 1}',
        '<think>Hm.</think>```json\n{"a": 1}\n```',
    ],
)
def test_json_in_a_fence_or_behind_thoughts_is_unwrapped_and_told(text):
    found = unwrap_json(asking(Output()), reply(text))
    assert found.text == '{"a": 1}'
    assert [note.field for note in found.notes] == ["reply.text"]
    assert check(asking(Output()), found) is None


def test_a_fence_inside_of_the_json_stays():
    inside = '{"code": "```py\\nx\\n```"}'
    assert unwrap_json(asking(Output()), reply(f"```json\n{inside}\n```")).text == inside


def test_thoughts_before_json_become_its_reasoning():
    assert unwrap_json(asking(Output()), reply("<think> Hm. </think>{}")).reasoning == "Hm."
    assert (
        unwrap_json(asking(Output()), reply("<think>Hm.</think>{}", reasoning="told apart")).reasoning == "told apart"
    )


@pytest.mark.parametrize("text", ['{"a": "```json\\n{}\\n```"}', "```json\n{broken\n```", "```{}``` or ```[]```", "no"])
def test_what_is_json_or_holds_no_single_json_stays_as_it_is(text):
    whole = reply(text)
    assert unwrap_json(asking(Output()), whole) is whole


def test_without_a_shape_or_with_calls_nothing_is_unwrapped():
    fenced = reply("```json\n{}\n```")
    assert unwrap_json(asking(), fenced) is fenced
    calling = reply("```json\n{}\n```", tool_calls=(ToolUse(id="c", name="f", input={}),))
    assert unwrap_json(asking(Output()), calling) is calling


def test_a_long_answer_of_blanks_and_fences_takes_no_time_to_speak_of():
    for text in ("```" + " " * 10**6, "```\n" * 10**5, "<think>" * 10**5):
        assert unwrap_json(asking(Output()), reply(text)).text == text
