"""An answer that is whole is a reply, whatever it holds. Only what is cut, of another shape or failed is none."""

from typing import Any

import pytest

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.bad_answer import BadAnswer

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def completion(message: Any = None, finish: Any = "stop", **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "fine"} if message is None else message}
    choices = [{**choice, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": choices, "usage": USAGE, **fields}


def message(*content: Any, stop_reason: Any = "end_turn", **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 3}
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": list(content), "usage": usage}
    return {**whole, "stop_reason": stop_reason, **fields}


def response(*output: Any, **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
    whole = {"id": "r", "object": "response", "status": "completed", "model": "m", "output": list(output)}
    return {**whole, "usage": usage, **fields}


def said(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}], **fields}


def fields_told(reply: Reply) -> list[str]:
    return [note.field for note in reply.notes]


# ---- how it ended


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("eos_token", Finish.STOP), ("STOP", Finish.STOP), ("REASON_STOP", Finish.STOP), ("COMPLETE", Finish.STOP),
        ("endTurn", Finish.STOP), ("end_turn", Finish.STOP), ("done", Finish.STOP), ("stop_sequence", Finish.STOP),
        ("MAX_TOKENS", Finish.LENGTH), ("model_length", Finish.LENGTH), ("REASON_MAX_CONTEXT", Finish.LENGTH),
        ("token_limit", Finish.LENGTH), ("model_context_window_exceeded", Finish.LENGTH), ("Length", Finish.LENGTH),
        ("SAFETY", Finish.REFUSED), ("content_filter: PROHIBITED_CONTENT", Finish.REFUSED), ("SPII", Finish.REFUSED),
        ("RECITATION", Finish.REFUSED), ("BLOCKLIST", Finish.REFUSED), ("sensitive", Finish.REFUSED),
        ("IMAGE_SAFETY", Finish.REFUSED), ("guardrail_intervened", Finish.REFUSED), ("MODEL_ARMOR", Finish.REFUSED),
        ("content_filtered", Finish.REFUSED), ("refusal", Finish.REFUSED),
        ("repetition", Finish.OTHER), ("OTHER", Finish.OTHER), ("launched_next_month", Finish.OTHER),
    ],
)  # fmt: skip
def test_a_word_for_the_end_means_what_its_parts_mean_in_any_case(word, finish):
    reply = chat.read_reply(completion(finish=word))
    assert (reply.finish, reply.finish_word, reply.text) == (finish, word, "fine")


@pytest.mark.parametrize("word", [None, "", "None", "FINISH_REASON_UNSPECIFIED"])
def test_text_without_a_word_for_its_end_is_taken_as_a_stop_and_told(word):
    for reply in (
        chat.read_reply(completion(finish=word)),
        anthropic.read_reply(message({"type": "text", "text": "x"}, stop_reason=word)),
    ):
        assert (reply.finish, reply.finish_word, fields_told(reply)) == (Finish.STOP, None, ["reply.finish"])


def test_a_response_without_a_status_is_taken_as_a_stop_and_told():
    reply = responses.read_reply(response(said("x"), status=None))
    assert (reply.finish, fields_told(reply)) == (Finish.STOP, ["reply.finish"])


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("insufficient_system_resource", FaultKind.OVERLOADED),
        ("error", FaultKind.SERVER_ERROR),
        ("abort", FaultKind.SERVER_ERROR),
        ("network_error", FaultKind.SERVER_ERROR),
        ("MALFORMED_FUNCTION_CALL", FaultKind.BAD_OUTPUT),
        ("function_call_filter: UNEXPECTED_TOOL_CALL", FaultKind.BAD_OUTPUT),
    ],
)
def test_a_word_that_says_that_it_failed_is_a_failure(word, kind):
    with pytest.raises(BadAnswer) as caught:
        chat.read_reply(completion(finish=word))
    assert (caught.value.kind, caught.value.provider_code) == (kind, word)


@pytest.mark.parametrize("status", ["failed", "cancelled", "queued", "in_progress"])
def test_a_response_that_is_not_there_is_no_answer(status):
    with pytest.raises(BadAnswer, match=status):
        responses.read_reply(response(said("x"), status=status))


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", Finish.LENGTH), ("content_filter", Finish.REFUSED), ("max_tool_calls", Finish.LENGTH)],
)
def test_an_incomplete_response_says_why(reason, finish):
    reply = responses.read_reply(response(said("x"), status="incomplete", incomplete_details={"reason": reason}))
    assert (reply.finish, reply.finish_word, reply.text) == (finish, reason, "x")


@pytest.mark.parametrize("reason", ["pause_turn", "compaction"])
def test_a_paused_turn_is_an_answer_with_the_providers_word(reason):
    reply = anthropic.read_reply(message({"type": "text", "text": "x"}, stop_reason=reason))
    assert (reply.finish, reply.finish_word) == (Finish.OTHER, reason)


# ---- what it holds


@pytest.mark.parametrize(
    "body",
    [
        completion({"role": "assistant", "content": ""}),
        completion({"role": "assistant", "content": None}),
        completion({"role": "assistant", "content": []}),
    ],
)
def test_a_completion_with_empty_text_is_an_answer(body):
    assert (chat.read_reply(body).text, chat.read_reply(body).finish) == ("", Finish.STOP)


def test_an_empty_message_and_an_empty_response_are_answers():
    assert anthropic.read_reply(message()).text == ""
    assert responses.read_reply(response()).text == ""


@pytest.mark.parametrize(
    "told",
    [
        {"reasoning_content": "thinking"},
        {"reasoning": "thinking"},
        {"reasoning_content": "thinking", "reasoning": "thinking"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "thinking", "signature": "c2ln"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "thinking"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "thinking"}]}]},
    ],
)
def test_a_completion_of_reasoning_alone_is_an_answer(told):
    reply = chat.read_reply(completion({"role": "assistant", "content": None} | told))
    assert (reply.text, reply.reasoning, reply.finish) == ("", "thinking", Finish.STOP)


def test_thinking_and_summaries_are_read_as_reasoning():
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    sealed = {"type": "redacted_thinking", "data": "x"}
    assert anthropic.read_reply(message(thought, sealed)).reasoning == "hm"
    summary = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
    assert responses.read_reply(response(summary)).reasoning == "hm"


def test_a_block_that_nobody_knows_is_told_and_the_rest_is_read():
    unknown = {"type": "launched_next_month", "x": 1}
    for reply in (
        anthropic.read_reply(message(unknown, {"type": "text", "text": "fine"})),
        responses.read_reply(response(unknown, said("fine"))),
        chat.read_reply(completion({"content": [unknown, {"type": "text", "text": "fine"}]})),
    ):
        assert reply.text == "fine"
        assert ["launched_next_month" in note.note for note in reply.notes] == [True]


def test_of_several_choices_the_first_is_read_and_their_number_told():
    body = completion()
    body["choices"] += [{"index": 1, "message": {"content": "other"}, "finish_reason": "stop"}]
    reply = chat.read_reply(body)
    assert (reply.text, reply.choices) == ("fine", 2)


def test_a_prompt_that_was_turned_away_without_a_choice_is_refused():
    counted = {"choices": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    azure = {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    for body in (counted, azure):
        assert chat.read_reply({"id": "c", "model": "m"} | body).finish is Finish.REFUSED
    with pytest.raises(BadAnswer):
        chat.read_reply(completion(choices=[]))  # three tokens were made of it, and none came


def test_a_filtered_choice_without_a_message_is_refused():
    assert chat.read_reply(completion(choices=[{"finish_reason": "content_filter"}])).finish is Finish.REFUSED


def test_the_final_answer_is_the_text_and_commentary_stands_apart():
    both = response(said("I look.", phase="commentary"), said("Paris.", phase="final_answer"))
    reply = responses.read_reply(both)
    assert (reply.text, fields_told(reply)) == ("Paris.", ["reply.output[0]"])
    assert responses.read_reply(response(said("I look.", phase="commentary"))).text == "I look."


def test_the_transcript_of_a_spoken_answer_is_its_text():
    audio = {"id": "a", "data": "QUJD", "expires_at": 1, "transcript": "Hello."}
    assert chat.read_reply(completion({"content": None, "audio": audio})).text == "Hello."


# ---- what it calls


def called(arguments: Any, finish: str = "tool_calls") -> dict[str, Any]:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return completion({"content": None, "tool_calls": [call]}, finish)


@pytest.mark.parametrize(
    ("arguments", "given", "told"),
    [
        ('{"city": "Oslo"}', {"city": "Oslo"}, False),
        ('"{\\"city\\": \\"Oslo\\"}"', {"city": "Oslo"}, True),
        ({"city": "Oslo"}, {"city": "Oslo"}, False),
        ("", {}, False),
        (None, {}, False),
        ("null", {}, False),
        ('{"wei": 100000000000000000001}', {"wei": 100000000000000000001}, False),
        ('{"b": 1, "a": 2}', {"b": 1, "a": 2}, False),
    ],
)
def test_arguments_are_read_as_they_were_meant(arguments, given, told):
    reply = chat.read_reply(called(arguments))
    assert [list(call.input.items()) for call in reply.tool_calls] == [list(given.items())]
    assert fields_told(reply) == ["reply.tool_calls[0].input"] * told
    assert Reply.model_validate_json(reply.model_dump_json()) == reply


@pytest.mark.parametrize(
    "arguments", ["{", "[1]", "5", '"text"', "{}{}", '{"a": NaN}', '{"a":' * 1000 + "1" + "}" * 1000, "[" * 10**6]
)
def test_arguments_that_are_no_object_are_the_models_own_slip(arguments):
    with pytest.raises(BadAnswer) as caught:
        chat.read_reply(called(arguments))
    assert caught.value.kind is FaultKind.BAD_OUTPUT


def test_arguments_that_were_cut_with_the_answer_are_left_out_and_told():
    reply = chat.read_reply(called('{"city": "Os', "length"))
    assert (reply.tool_calls, reply.finish, fields_told(reply)) == ((), Finish.LENGTH, ["reply.tool_calls[0]"])


def test_calls_are_trusted_more_than_the_word_for_the_end():
    assert chat.read_reply(called("{}", "stop")).finish is Finish.TOOL_CALLS
    nothing = chat.read_reply(completion(finish="tool_calls"))
    assert (nothing.finish, nothing.finish_word, fields_told(nothing)) == (Finish.STOP, "tool_calls", ["reply.finish"])


def test_custom_tools_are_called_with_text_in_both_formats_and_stay_custom():
    custom = {"id": "a", "type": "custom", "custom": {"name": "f", "input": "x = 1"}}
    first = chat.read_reply(completion({"content": None, "tool_calls": [custom]}))
    item = {"type": "custom_tool_call", "call_id": "a", "id": "ctc_1", "name": "f", "input": "x = 1"}
    second = responses.read_reply(response(item))
    for reply in (first, second):
        assert [(call.id, call.name, call.input) for call in reply.tool_calls] == [("a", "f", "x = 1")]
        assert reply.finish is Finish.TOOL_CALLS
    assert chat.write_reply(first, "1")["choices"][0]["message"]["tool_calls"] == [custom]
    assert responses.write_reply(second, "1")["output"][0].items() >= {k: item[k] for k in item if k != "id"}.items()


def test_gemini_s_signature_of_a_thought_stays_with_its_call():
    signed = called("{}")
    extra = {"google": {"thought_signature": "c2ln"}}
    signed["choices"][0]["message"]["tool_calls"][0]["extra_content"] = extra
    reply = chat.read_reply(signed)
    assert reply.tool_calls[0].native == {"openai-chat": {"extra_content": extra}}
    again = chat.write_reply(reply, "1")["choices"][0]["message"]["tool_calls"]
    assert again == signed["choices"][0]["message"]["tool_calls"]


def test_items_that_wait_for_the_producer_end_with_calls_unless_the_provider_answered_them():
    waits = {"type": "shell_call", "call_id": "s", "action": {"commands": ["ls"]}}
    assert responses.read_reply(response(waits)).finish is Finish.TOOL_CALLS
    ran = {"type": "shell_call_output", "call_id": "s", "output": []}
    assert responses.read_reply(response(waits, ran, said("two files"))).finish is Finish.STOP


# ---- what is no answer


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (chat.read_reply, completion({"content": ""}, None)),
        (chat.read_reply, completion({"content": {"text": "x"}})),
        (chat.read_reply, {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}),
        (chat.read_reply, {"choices": []}),
        (anthropic.read_reply, message(stop_reason=None)),
        (anthropic.read_reply, message(type="completion")),
        (anthropic.read_reply, completion()),
        (responses.read_reply, completion()),
        (responses.read_reply, response(status=None)),
        (responses.read_reply, []),
        (responses.read_reply, "x"),
    ],
)
def test_what_is_cut_or_of_another_shape_is_no_answer(read, body):
    with pytest.raises(BadAnswer) as caught:
        read(body)
    assert caught.value.kind is FaultKind.BAD_ANSWER


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ({"error": {"message": "x", "code": "server_is_overloaded"}}, "server_is_overloaded", "x"),
        ({"error": {"message": "x", "code": 502}}, "502", "x"),
        ({"error": "out of memory"}, None, "out of memory"),
        ([{"error": {"code": 503, "message": "x"}}], "503", "x"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "1008", "insufficient balance"),
        ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "x"}}, "1008", "x"),
        ({"errors": [{"message": "x"}]}, None, "x"),
        ({"detail": "no such model"}, None, "no such model"),
        ({"code": "InvalidParameter", "message": "x"}, "InvalidParameter", "x"),
        ({"status": "error", "message": "x"}, None, "x"),
        (completion(choices=[{"message": {"content": "ha"}, "error": {"code": 502, "message": "x"}}]), "502", "x"),
    ],
)
def test_a_failure_inside_a_success_is_kept_with_its_code_and_its_words(body, code, told):
    with pytest.raises(BadAnswer) as caught:
        chat.read_reply(body)
    assert (caught.value.provider_code, caught.value.told) == (code, told)


@pytest.mark.parametrize(
    "beside", [{"error": None}, {"error": {}}, {"error": ""}, {"error": {"code": 0, "message": "success"}},
               {"base_resp": {"status_code": 0, "status_msg": "success"}}, {"detail": "ok"}, {"code": 500}],
)  # fmt: skip
def test_a_whole_answer_beside_an_empty_error_is_an_answer(beside):
    assert chat.read_reply(completion(**beside)).text == "fine"
