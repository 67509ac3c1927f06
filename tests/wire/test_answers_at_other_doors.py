"""Each kind of answer as a caller of another format sees it, and what becomes of it when it is sent back."""

import json
from typing import Any

import pytest

from holdfast.model.request import Thought
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.json_answer import unwrap_json
from holdfast.wire.written_answer import TOO_DEEP, write_answer
from passing import pass_through
from wire.test_answers import completion, message, response
from wire.test_written_answers import through, words

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEALED = {"type": "redacted_thinking", "data": "gAAA"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Oslo"}}
SUMMARY = [{"type": "summary_text", "text": "hm"}]
REASONING = {"type": "reasoning", "id": "rs_1", "summary": SUMMARY, "encrypted_content": "gAAA"}
PAGE = {"url": "https://example.org", "title": "Paris"}
CITATION = {"type": "web_search_result_location", **PAGE, "cited_text": "the capital", "encrypted_index": "Eo8"}
PLACE = {"type": "page_location", "cited_text": "p", "document_index": 0, "start_page_number": 1}
TOKEN = {"token": "hi", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "hi", "logprob": -0.5}]}
CLAUDE, CHAT, RESPONSES = Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES


def choice(body: dict[str, Any]) -> dict[str, Any]:
    (only,) = body["choices"]
    return dict(only)


# ---- reasoning


def test_thinking_of_claude_is_reasoning_beside_a_completion_with_its_signature():
    body, beside = through(CHAT, message(THOUGHT, SEALED, words("fine")))
    assert choice(body)["message"]["content"] == "fine"
    assert (beside["answered_in"], beside["reasoning"]) == ("anthropic", "hm")
    assert beside["opaque"]["content[0]"] == THOUGHT
    assert beside["opaque"]["content[1]"] == SEALED


def test_thinking_of_claude_is_a_reasoning_item_of_a_response_before_what_it_led_to():
    body, beside = through(RESPONSES, message(THOUGHT, words("I look."), CALL, stop_reason="tool_use"))
    assert [item["type"] for item in body["output"]] == ["reasoning", "message", "function_call"]
    assert body["output"][0]["summary"] == SUMMARY
    assert beside["opaque"]["content[0].signature"] == "c2ln"
    assert "reasoning" not in beside


@pytest.mark.parametrize("reasoned", [THOUGHT, SEALED])
def test_thinking_that_returns_in_a_response_s_item_goes_to_claude_as_it_came(reasoned):
    body, _ = through(RESPONSES, message(reasoned, CALL, stop_reason="tool_use"))
    result = {"type": "function_call_output", "call_id": "toolu_1", "output": "rain"}
    asked = responses.read_request({"input": [{"role": "user", "content": "x"}, *body["output"], result]})
    sent, report = anthropic.write_request(asked, "claude-sonnet-4-5")
    assert sent["messages"][1]["content"][0] == reasoned
    assert not [note for note in report.notes if "reasoning" in note.note]


def test_a_reasoning_item_that_returns_in_a_message_goes_to_openai_as_it_came():
    body, beside = through(CLAUDE, response(REASONING, FUNCTION))
    (thinking, call) = body["content"]
    assert (thinking["type"], thinking["thinking"], call["name"]) == ("thinking", "hm", "f")
    assert beside["opaque"]["output[0].encrypted_content"] == "gAAA"
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": body["content"]}]
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "rain"}
    asked = anthropic.read_request({"max_tokens": 9, "messages": [*turns, {"role": "user", "content": [result]}]})
    assert responses.write_request(asked, "gpt-5.4")[0]["input"][1] == REASONING


FUNCTION = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}


def test_reasoning_of_a_compatible_server_returns_to_it_in_the_field_that_it_came_in():
    told = {"role": "assistant", "content": "fine", "reasoning_content": "hm"}
    body, beside = through(CLAUDE, completion(told))
    assert [block["type"] for block in body["content"]] == ["thinking", "text"]
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": body["content"]}]
    asked = anthropic.read_request({"max_tokens": 9, "messages": [*turns, {"role": "user", "content": "y"}]})
    assert chat.write_request(asked, "deepseek-chat")[0]["messages"][1] == told
    assert "choices[0].message.reasoning_content" not in beside.get("opaque", {})


@pytest.mark.parametrize("returned", [[{"type": "thinking"}, words("fine")], [{"type": "thinking"}]])
def test_reasoning_of_another_provider_is_left_out_and_told_where_a_route_gets_what_was_written(returned):
    (thinking, *_) = through(CLAUDE, completion({"content": "fine", "reasoning": "hm"}))[0]["content"]
    answered = {"role": "assistant", "content": [thinking, *returned[1:]]}
    turns = [{"role": "user", "content": "x"}, answered, {"role": "user", "content": "y"}]
    written = json.dumps({"model": "m", "max_tokens": 9, "messages": turns}).encode()
    sent, report = pass_through(WrittenRequest(CLAUDE, "/v1/messages", written), "m")
    left = [{**answered, "content": returned[1:]}] if returned[1:] else []
    assert json.loads(sent)["messages"] == [turns[0], *left, turns[2]]
    place = "messages[1].content[0]"
    assert [(note.field, note.note) for note in report.notes] == [(place, "dropped: reasoning of another provider")]


def test_a_reasoning_item_of_claude_is_left_out_of_what_openai_is_sent():
    body, _ = through(RESPONSES, message(THOUGHT, words("fine")))
    asked = {"model": "m", "input": [*body["output"], {"role": "user", "content": "y"}]}
    sent, report = pass_through(WrittenRequest(RESPONSES, "/responses", json.dumps(asked).encode()), "m")
    assert json.loads(sent)["input"] == asked["input"][1:]
    assert [note.field for note in report.notes] == ["input[0]"]


@pytest.mark.parametrize("spoilt", ["holdfast-reasoning.", "holdfast-reasoning.e30=", "holdfast-reasoning.%%%"])
def test_reasoning_whose_seal_is_spoilt_goes_to_nobody(spoilt):
    block = {"type": "thinking", "thinking": "hm", "signature": spoilt}
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": [block]}]
    read = anthropic.read_request({"max_tokens": 9, "messages": turns})
    (part,) = read.turns[1].parts
    assert isinstance(part, Thought)
    assert part.dialect not in set(Api)


# ---- what is said, and why it ended


def test_pages_that_claude_cites_are_annotations_of_the_text_that_they_stand_behind():
    body, beside = through(CHAT, message(words("So: "), words("Paris", citations=[CITATION, PLACE])))
    said = choice(body)["message"]
    span = {"start_index": 4, "end_index": 9}
    assert said["annotations"] == [{"type": "url_citation", "url_citation": {**PAGE, **span}}]
    assert said["content"][4:9] == "Paris"
    assert beside["opaque"]["content[1].citations[0].encrypted_index"] == "Eo8"
    assert beside["opaque"]["content[1].citations[1]"] == PLACE
    (item,) = through(RESPONSES, message(words("So: "), words("Paris", citations=[CITATION])))[0]["output"]
    assert item["content"][0]["annotations"] == [{"type": "url_citation", **PAGE, **span}]


def test_annotations_and_logprobs_move_between_the_formats_of_openai():
    cited = {"type": "url_citation", "url_citation": {**PAGE, "start_index": 0, "end_index": 2}}
    given = completion({"content": "hi", "annotations": [cited]})
    given["choices"][0]["logprobs"] = {"content": [TOKEN], "refusal": None}
    body, beside = through(RESPONSES, given)
    (part,) = body["output"][0]["content"]
    assert part["annotations"] == [{"type": "url_citation", **PAGE, "start_index": 0, "end_index": 2}]
    assert [each["bytes"] for each in part["logprobs"]] == [[104, 105]]
    assert not [place for place in beside["opaque"] if "choices" in place]
    again, beside = through(CHAT, body)
    assert choice(again)["message"]["annotations"] == [cited]
    assert choice(again)["logprobs"]["content"] == part["logprobs"]
    assert through(CLAUDE, given)[1]["opaque"]["choices[0].logprobs"] == {"content": [TOKEN], "refusal": None}


def test_logprobs_that_a_format_could_not_hold_stay_beside_it():
    given = completion()
    given["choices"][0]["logprobs"] = {"content": [{"token": "hi", "logprob": float("-inf"), "top_logprobs": []}]}
    body, beside = through(RESPONSES, given)
    assert body["output"][0]["content"][0]["logprobs"] == []
    assert beside["opaque"]["choices[0].logprobs"]["content"][0]["logprob"] == "-inf"


def test_a_refusal_in_words_is_one_in_each_of_openai_s_formats_and_text_that_ends_so_at_claude_s():
    refused = completion({"content": None, "refusal": "No."})
    body, _ = through(RESPONSES, refused)
    assert (body["status"], body["output"][0]["content"]) == ("completed", [{"type": "refusal", "refusal": "No."}])
    assert choice(through(CHAT, body)[0]) == choice(refused) | {
        "message": {"role": "assistant", "content": None, "refusal": "No."},
        "logprobs": None,
    }
    said, _ = through(CLAUDE, refused)
    assert (said["content"][0]["text"], said["stop_reason"]) == ("No.", "refusal")


def test_a_refusal_of_claude_says_why_beside_the_completion():
    why = {"type": "refusal", "category": "cyber", "explanation": "because"}
    body, beside = through(CHAT, message(words("I"), stop_reason="refusal", stop_details=why))
    assert (choice(body)["finish_reason"], choice(body)["message"]["content"]) == ("content_filter", "I")
    assert beside["opaque"]["stop_details"] == why


@pytest.mark.parametrize(
    ("given", "wanted", "end", "kept"),
    [
        (message(words("x")), CHAT, "stop", {}),
        (message(words("x"), stop_reason="max_tokens"), CHAT, "length", {}),
        (message(words("x"), stop_reason="pause_turn"), CHAT, "stop", {"stop_reason": "pause_turn"}),
        (
            message(words("x"), stop_reason="stop_sequence", stop_sequence="END"),
            CHAT,
            "stop",
            {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        ),
        (completion(finish="MAX_TOKENS"), CLAUDE, "max_tokens", {"choices[0].finish_reason": "MAX_TOKENS"}),
        (completion(finish="content_filter"), RESPONSES, "content_filter", {}),
        (completion(finish="repetition"), RESPONSES, "completed", {"choices[0].finish_reason": "repetition"}),
    ],
)
def test_an_end_is_told_in_the_callers_word_and_the_providers_own_is_kept_where_it_says_more(given, wanted, end, kept):
    body, beside = through(wanted, given)
    told = {
        CHAT: lambda: choice(body)["finish_reason"],
        CLAUDE: lambda: body["stop_reason"],
        RESPONSES: lambda: (body["incomplete_details"] or {}).get("reason", body["status"]),
    }[wanted]()
    assert told == end
    opaque = {key: value for key, value in beside.get("opaque", {}).items() if key != "id"}
    assert opaque == kept


# ---- what is called, and the rest


def test_the_call_of_a_custom_tool_is_one_in_the_other_format_of_openai_and_holds_its_text_at_claude_s():
    custom = {"id": "call_1", "type": "custom", "custom": {"name": "f", "input": "x = 1"}}
    given = completion({"content": None, "tool_calls": [custom]}, "tool_calls")
    (item,) = through(RESPONSES, given)[0]["output"]
    assert (item["type"], item["call_id"], item["input"]) == ("custom_tool_call", "call_1", "x = 1")
    assert choice(through(CHAT, response(item))[0])["message"]["tool_calls"] == [custom]
    (block,) = through(CLAUDE, given)[0]["content"]
    assert (block["name"], block["input"]) == ("f", {"input": "x = 1"})


def test_work_that_a_provider_has_done_itself_stands_beside_the_answer():
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    used = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
    assert through(CLAUDE, response(search))[1]["opaque"]["output[0]"] == search
    assert through(CHAT, message(used, words("x")))[1]["opaque"]["content[0]"] == used


def test_further_choices_and_sound_stand_beside_the_answer():
    audio = {"id": "audio_1", "data": "QUJD", "expires_at": 1, "transcript": "Hello."}
    given = completion({"content": None, "audio": audio})
    second = {"index": 1, "message": {"role": "assistant", "content": "other"}, "finish_reason": "stop"}
    given["choices"].append(second)
    body, beside = through(CLAUDE, given)
    assert body["content"][0]["text"] == "Hello."
    assert beside["opaque"]["choices[1]"] == second
    assert beside["opaque"]["choices[0].message.audio.data"] == "QUJD"


def test_figures_that_no_other_format_has_stand_beside_those_that_all_have():
    usage = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3, "service_tier": "batch"}
    body, beside = through(CHAT, message(words("x"), usage=usage))
    assert body["usage"]["prompt_tokens"] == 7
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] == 2
    assert {key: value for key, value in beside["opaque"].items() if "usage" in key} == {"usage.service_tier": "batch"}


def test_json_that_was_unwrapped_is_the_text_and_stands_wrapped_beside_it():
    given = message(words("```json\n{}\n```"))
    asked = chat.read_request(
        {"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"}}
    )
    reply = unwrap_json(asked, anthropic.read_reply(given))
    written = write_answer(CHAT, reply, json.dumps(given).encode(), "1")
    assert choice(json.loads(written.body))["message"]["content"] == "{}"
    assert written.holdfast["opaque"]["content[0]"] == given["content"][0]


def test_what_is_nested_too_deeply_to_be_written_is_named():
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    _, beside = through(CHAT, message(words("x"), launched_later=deep))
    assert beside["opaque"]["launched_later"] == TOO_DEEP


@pytest.mark.parametrize("wanted", [CHAT, RESPONSES])
def test_an_answer_whose_body_is_not_kept_is_written_from_its_reading(wanted):
    reply = anthropic.read_reply(message(THOUGHT, words("fine"), CALL, stop_reason="tool_use"))
    written = write_answer(wanted, reply, None, "1", 7)
    body = json.loads(written.body)
    assert body.get("created", body.get("created_at")) == 7
    assert "fine" in written.body.decode()
    assert written.holdfast["opaque"]["anthropic"]["content"][0] == THOUGHT
    assert written.holdfast.get("reasoning") == ("hm" if wanted is CHAT else None)
