"""A reply, whoever gave it, is written as each API would have answered: by the official SDK's own types."""

from typing import Any

import pytest
from anthropic.types import Message
from anthropic.types.beta.beta_message import BetaMessage
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import ToolUse
from holdfast.model.route import Api
from holdfast.wire import anthropic, chat, responses
from wire.test_answers import completion, message, response, said
from wire.test_round_trips import DIALECTS, every_api

TYPES: dict[Api, Any] = {Api.ANTHROPIC: Message, Api.OPENAI_CHAT: ChatCompletion, Api.OPENAI_RESPONSES: Response}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEALED = {"type": "redacted_thinking", "data": "gAAA"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Oslo"}}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
FUNCTION = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": '{"wei":100000000000000000001}',
}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
SPOKEN = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PART = {"type": "output_text", "text": "fine", "annotations": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [PART]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


READINGS: dict[str, Reply] = {
    "words": chat.read_reply(completion()),
    "nothing": chat.read_reply(completion({"content": None})),
    "a cut": chat.read_reply(completion(finish="MAX_TOKENS")),
    "a refusal in words": chat.read_reply(completion({"content": None, "refusal": "No."})),
    "a filter": chat.read_reply(completion({"content": None}, "content_filter")),
    "an end that nobody knows": chat.read_reply(completion(finish="repetition")),
    "a call": chat.read_reply(completion({"content": "I look.", "tool_calls": [SPOKEN]}, "tool_calls")),
    "reasoning in words": chat.read_reply(completion({"content": "fine", "reasoning_content": "hm"})),
    "thinking and a call": anthropic.read_reply(message(THOUGHT, text("I look."), CALL, stop_reason="tool_use")),
    "sealed thinking": anthropic.read_reply(message(SEALED, text("fine"))),
    "a window exceeded": anthropic.read_reply(message(text("so"), stop_reason="model_context_window_exceeded")),
    "a pause": anthropic.read_reply(message(text("so"), stop_reason="pause_turn")),
    "a refusal of Claude": anthropic.read_reply(message(stop_reason="refusal")),
    "a search": responses.read_reply(response(SEARCH, MESSAGE)),
    "reasoning and a call": responses.read_reply(response(REASONING, FUNCTION)),
    "a filtered response": responses.read_reply(
        response(said("x"), status="incomplete", incomplete_details={"reason": "content_filter"})
    ),
    "an id that is too long": Reply(
        text="",
        tool_calls=(ToolUse(id="c" * 200, name="f", input={}),),
        finish=Finish.TOOL_CALLS,
        usage=Usage(),
        model="",
    ),
}


@every_api
@pytest.mark.parametrize("kind", READINGS)
def test_a_reply_is_written_as_the_official_sdk_reads_it(api, kind):
    reply = READINGS[kind]
    written = DIALECTS[api].write_reply(reply, "1")
    TYPES[api].model_validate(written)
    again = DIALECTS[api].read_reply(written)
    assert (again.text, again.usage.input, again.usage.output) == (reply.text, reply.usage.input, reply.usage.output)
    assert [(call.name, call.input) for call in again.tool_calls] == [
        (call.name, call.input) for call in reply.tool_calls
    ]
    unsaid = reply.finish is Finish.OTHER and again.finish_word != reply.finish_word  # no word of its own here
    assert again.finish is (Finish.STOP if unsaid else reply.finish)


@every_api
def test_ids_of_calls_are_those_that_the_format_takes(api):
    reply = READINGS["an id that is too long"]
    (call,) = DIALECTS[api].read_reply(DIALECTS[api].write_reply(reply, "1")).tool_calls
    assert len(call.id) <= 128
    assert DIALECTS[api].read_reply(DIALECTS[api].write_reply(READINGS["a call"], "1")).tool_calls[0].id == "call_1"


@pytest.mark.parametrize(
    ("wire", "body", "member"),
    [
        (anthropic, message(THOUGHT, text("I look."), CALL, SEALED, stop_reason="tool_use"), "content"),
        (anthropic, message({**text("fine"), "citations": [{"type": "char_location"}]}), "content"),
        (anthropic, message({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}), "content"),
        (anthropic, message({**CALL, "caller": {"type": "direct"}}, stop_reason="tool_use"), "content"),
        (responses, response(REASONING, MESSAGE, FUNCTION), "output"),
    ],
)
def test_what_a_reply_says_is_written_again_as_it_was_so_that_it_can_be_sent_back(wire, body, member):
    """Signatures, sealed thoughts, citations and the ids of items go back to their own provider unchanged."""
    assert wire.write_reply(wire.read_reply(body), "1")[member] == body[member]


def test_a_completion_s_own_fields_are_written_again_as_they_were():
    details = [{"type": "reasoning.encrypted", "data": "gAAA", "format": "google-gemini-v1"}]
    call = {**SPOKEN, "extra_content": {"google": {"thought_signature": "c2ln"}}}
    told = {"role": "assistant", "content": "fine", "reasoning_content": "hm", "reasoning_details": details}
    said_so = {**told, "refusal": None, "tool_calls": [call]}
    again = chat.write_reply(chat.read_reply(completion(said_so, "tool_calls")), "1")["choices"][0]
    assert again["message"] == said_so
    assert again["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("word", ["end_turn", "stop_sequence", "pause_turn", "model_context_window_exceeded"])
def test_a_word_of_the_format_itself_stays(word):
    read = anthropic.read_reply(message(text("x"), stop_reason=word, stop_sequence="END"))
    assert anthropic.write_reply(read, "1")["stop_reason"] == word
    BetaMessage.model_validate(anthropic.write_reply(read, "1"))
