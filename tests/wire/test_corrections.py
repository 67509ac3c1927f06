"""What one format says and another would refuse, or take for something else: each point with its right value."""

import pytest

from holdfast.model.errors import Unmappable
from holdfast.model.request import Output, Role, Text, Tool, ToolChoice, ToolResult, ToolUse, Turn
from holdfast.model.route import Dialect
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.call_ids import ANTHROPIC_IDS, CHAT_IDS, MISTRAL_IDS, RESPONSES_IDS, CallIds
from holdfast.wire.chat.server_profile import SERVER_PROFILES
from wire.test_writing import ask, assistant, body, changes, user

CLOSED = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}, "required": ["b", "a"]}
ADAPTIVE = {"thinking": {"type": "adaptive"}}
OPENAI_FORMATS = [chat, responses]


def system(*parts):
    return Turn(role=Role.SYSTEM, parts=tuple(Text(text=p) if isinstance(p, str) else p for p in parts))


def call(id_, given=None, name="look"):
    return ToolUse(id=id_, name=name, input={} if given is None else given)


def result(id_, text="r"):
    return ToolResult(id=id_, parts=(Text(text=text),))


def to_server(dialect, request, model="m"):
    written, report = chat.write_request(request, model, SERVER_PROFILES[dialect])
    return written, {note.field: note.note for note in report.notes}


# ---- system turns

TWO = (user("x"), system("s"))


def test_the_marks_of_a_first_system_message_in_parts_are_kept_by_their_own_format_and_told_by_another():
    marked = Text(text="s", native={"anthropic": {"cache_control": {"type": "ephemeral"}}})
    assert body(anthropic, ask(system(marked), user("x")))["system"] == [
        {"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}
    ]
    foreign = chat.read_request(
        {
            "messages": [
                {"role": "system", "name": "n", "content": [{"type": "text", "text": "s", "cache_control": 1}]},
                {"role": "user", "content": "x"},
            ]
        }
    )
    assert body(anthropic, foreign)["system"] == "s"
    assert set(changes(anthropic, foreign)) == {"turns[0].name", "turns[0].parts[0].cache_control"}


@pytest.mark.parametrize(
    ("model", "turns", "roles"),
    [
        ("claude-opus-4-8", (user("x"), system("s"), user("y")), ["user"]),
        ("claude-opus-4-8", (user("x"), system("s")), ["user", "system"]),
        ("claude-opus-4-8", (*TWO, assistant("a"), user("y")), ["user", "system", "assistant", "user"]),
        ("claude-opus-4-8", (user("x"), assistant("a"), system("s"), user("y")), ["user", "assistant", "user"]),
        ("claude-opus-4-7", (user("x"), system("s")), ["user"]),
        ("claude-sonnet-4-5", (user("x"), system("s"), assistant("a"), user("y")), ["user", "assistant", "user"]),
    ],
)  # fmt: skip
def test_a_system_turn_that_claude_refuses_is_a_marked_part_of_a_users_turn_and_told(model, turns, roles):
    messages = body(anthropic, ask(*turns), model)["messages"]
    assert [message["role"] for message in messages] == roles
    assert ("<system>\\ns\\n</system>" in str(messages)) is ("system" not in roles)
    place = f"turns[{turns.index(system('s'))}]"
    assert list(changes(anthropic, ask(*turns), model)) == ([] if "system" in roles else [place])


# ---- effort


@pytest.mark.parametrize(
    ("model", "effort", "said", "told"),
    [
        ("claude-opus-4-8", "high", {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}}, False),
        ("claude-opus-4-8", "xhigh", {"output_config": {"effort": "xhigh"}, "thinking": {"type": "adaptive"}}, False),
        ("claude-sonnet-4-6", "xhigh", {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}}, True),
        ("us.anthropic.claude-opus-4-6-v1", "max", {"output_config": {"effort": "max"}, **ADAPTIVE}, False),
        ("claude-fable-5-2", "minimal", {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}}, True),
        ("claude-fable-5-2", "none", {}, True),
        ("claude-sonnet-4-5-20250929", "high", {"thinking": {"type": "enabled", "budget_tokens": 16_384}}, True),
        ("claude-haiku-4-5", "low", {"thinking": {"type": "enabled", "budget_tokens": 2_048}}, True),
        ("claude-haiku-4-5", "none", {}, True),
        ("claude-3-7-sonnet-20250219", "low", {"thinking": {"type": "enabled", "budget_tokens": 2_048}}, True),
        ("claude-3-5-sonnet-20241022", "high", {}, True),
        ("claude-opus-4-8", "turbo", {}, True),
    ],
)  # fmt: skip
def test_effort_as_each_generation_of_claude_knows_it(model, effort, said, told):
    request = ask(effort=effort, max_tokens=64_000)
    written = body(anthropic, request, model)
    assert {key: written[key] for key in ("output_config", "thinking") if key in written} == said
    assert list(changes(anthropic, request, model)) == (["effort"] if told else [])


def test_a_budget_leaves_half_of_the_maximum_for_the_answer_and_is_left_out_where_that_is_too_little():
    assert (
        body(anthropic, ask(effort="max", max_tokens=5_000), "claude-haiku-4-5")["thinking"]["budget_tokens"] == 2_500
    )
    assert "thinking" not in body(anthropic, ask(effort="max", max_tokens=2_000), "claude-haiku-4-5")
    assert list(changes(anthropic, ask(effort="max", max_tokens=2_000), "claude-haiku-4-5")) == ["effort"]


def test_no_thinking_is_asked_for_where_claude_refuses_it():
    tools = (Tool(name="look", parameters={"type": "object"}),)
    forced = ask(effort="high", tools=tools, tool_choice=ToolChoice(mode="any"), max_tokens=9_000)
    assert "thinking" not in body(anthropic, forced, "claude-opus-4-8")
    assert body(anthropic, forced, "claude-opus-4-8")["output_config"] == {"effort": "high"}
    in_a_round = ask(user("x"), assistant(call("a")), user(result("a")), effort="high", max_tokens=9_000)
    assert "thinking" not in body(anthropic, in_a_round, "claude-sonnet-4-5")
    assert "effort" in changes(anthropic, in_a_round, "claude-sonnet-4-5")


# ---- text and the end user


def test_text_of_white_space_alone_is_left_out_and_told_to_claude_alone():
    request = ask(user(" \n", "x"))
    assert body(anthropic, request)["messages"] == [{"role": "user", "content": "x"}]
    assert list(changes(anthropic, request)) == ["turns[0].parts[0]"]
    assert [changes(wire, request) for wire in OPENAI_FORMATS] == [{}, {}]


@pytest.mark.parametrize("who", ["jane.doe@example.org", "+49 (170) 123-4567", "4917012345", " a@b "])
def test_an_end_user_who_could_be_named_is_a_hash_to_claude_and_told(who):
    sent = body(anthropic, ask(user=who))["metadata"]["user_id"]
    assert (len(sent), sent.isalnum()) == (64, True)
    assert list(changes(anthropic, ask(user=who))) == ["user"]
    assert body(chat, ask(user=who))["safety_identifier"] == who


def test_an_opaque_end_user_is_sent_to_claude_as_it_is():
    assert body(anthropic, ask(user="u-17@"))["metadata"] == {"user_id": "u-17@"}


def test_user_stays_user_within_openais_formats():
    written_as = chat.read_request({"messages": [{"role": "user", "content": "x"}], "user": "u"})
    for wire in OPENAI_FORMATS:
        assert (body(wire, written_as)["user"], "safety_identifier" in body(wire, written_as)) == ("u", False)
    newer = chat.read_request({"messages": [{"role": "user", "content": "x"}], "safety_identifier": "u"})
    assert body(responses, newer)["safety_identifier"] == "u"
    assert to_server(Dialect.VLLM, newer)[0]["user"] == "u"


# ---- calls


def test_a_call_from_elsewhere_has_the_documented_placeholder_of_a_signature_for_gemini_3():
    request = ask(user("x"), assistant(call("a"), call("b")), user(result("a"), result("b")))
    written, told = to_server(Dialect.GEMINI, request, "gemini-3-pro")
    first, second = written["messages"][1]["tool_calls"]
    signature = {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert (first["extra_content"], "extra_content" in second) == (signature, False)
    assert list(told) == ["messages[1].tool_calls[0].extra_content"]
    assert "extra_content" not in str(to_server(Dialect.GEMINI, request, "gemini-2.5-pro")[0])


def test_a_signature_that_gemini_gave_goes_back_to_it_as_it_is():
    own = call("a").model_copy(
        update={"native": {"openai-chat": {"extra_content": {"google": {"thought_signature": "S"}}}}}
    )
    written, told = to_server(Dialect.GEMINI, ask(user("x"), assistant(own), user(result("a"))), "gemini-3-pro")
    assert written["messages"][1]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "S"}}
    assert told == {}


def pairs_in_chat(written):
    calls = [each["id"] for message in written["messages"] for each in message.get("tool_calls", ())]
    return calls, [message["tool_call_id"] for message in written["messages"] if message["role"] == "tool"]


def test_ids_of_calls_to_mistral_are_nine_alphanumerics_each_with_its_result():
    request = ask(user("x"), assistant(call("call_1"), call("Abc123Xyz")), user(result("call_1"), result("Abc123Xyz")))
    calls, results = pairs_in_chat(to_server(Dialect.MISTRAL, request)[0])
    assert calls == results
    assert (len(calls[0]), calls[0].isalnum(), calls[1]) == (9, True, "Abc123Xyz")


@pytest.mark.parametrize("wire", [anthropic, chat, responses])
def test_two_long_ids_with_the_same_beginning_stay_two_and_an_empty_one_gets_one(wire):
    long = ["x" * 200 + "1", "x" * 200 + "2", ""]
    request = ask(user("x"), assistant(*map(call, long)), user(*map(result, long)))
    found = [part.id for turn in wire.read_request(body(wire, request)).turns[1:] for part in turn.parts]
    assert found[:3] == found[3:]
    assert len(set(found)) == 3
    assert all(0 < len(id_) <= 40 for id_ in found)


@pytest.mark.parametrize("rule", [ANTHROPIC_IDS, CHAT_IDS, RESPONSES_IDS, MISTRAL_IDS])
def test_a_stand_in_follows_from_the_whole_id_alone_whatever_came_before_it(rule):
    one, two = ("x" * 200 + end for end in "12")
    assert rule.fit(one) == rule.fit(one) != rule.fit(two)
    ids = CallIds(rule)
    assert [ids.of_call(two), ids.of_call(one)] == [rule.fit(two), rule.fit(one)]
    assert rule.pattern.fullmatch(rule.fit(one))


def test_a_second_result_of_one_call_keeps_to_it_and_a_result_of_none_has_a_stand_in_of_its_own():
    ids = CallIds(MISTRAL_IDS)
    taken = ids.of_call("a")
    assert (ids.of_result("a"), ids.of_result("a")) == (taken, taken)
    assert ids.of_result("b") == MISTRAL_IDS.fit("b")


@pytest.mark.parametrize("wire", [anthropic, chat, responses])
def test_an_id_that_two_calls_have_is_told_apart_and_each_result_stays_with_its_call(wire):
    turns = (user("x"), assistant(call("a")), user(result("a", "1")), assistant(call("a")), user(result("a", "2")))
    parts = [part for turn in wire.read_request(body(wire, ask(*turns))).turns for part in turn.parts]
    first, one, second, two = (part for part in parts if not isinstance(part, Text))
    assert (first.id, one.parts[0].text) == (one.id, "1")
    assert (second.id, two.parts[0].text) == (two.id, "2")
    assert first.id == "a" != second.id
    assert set(changes(wire, ask(*turns))) == {"turns[3].parts[0].id", "turns[4].parts[0].id"}


def test_arguments_that_are_no_object_are_text_where_text_is_taken_and_refused_elsewhere():
    request = ask(user("x"), assistant(call("a", "{broken")), user(result("a")))
    assert body(chat, request)["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{broken"
    assert body(responses, request)["input"][1]["arguments"] == "{broken"
    with pytest.raises(Unmappable, match=r"turns\[1\].*no JSON object"):
        anthropic.write_request(request, "m")


def test_arguments_that_were_encoded_twice_are_unwrapped_and_told():
    request = ask(user("x"), assistant(call("a", '"{\\"wei\\": 100000000000000000001}"')), user(result("a")))
    assert body(anthropic, request)["messages"][1]["content"][0]["input"] == {"wei": 100000000000000000001}
    assert (
        body(chat, request)["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"wei":100000000000000000001}'
    )
    for wire in (anthropic, chat, responses):
        assert list(changes(wire, request)) == ["turns[1].parts[0].input"]


def test_items_keep_their_ids_beside_reasoning_that_keeps_its_own():
    items = [
        {"role": "user", "content": "x"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "look", "arguments": "{}", "status": "x"},
        {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "r"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"role": "user", "content": "y"},
    ]  # fmt: skip
    request = responses.read_request({"input": items})
    assert [item.get("id") for item in body(responses, request)["input"]] == [
        None,
        "rs_1",
        "fc_1",
        "fco_1",
        "msg_1",
        None,
    ]
    assert changes(responses, request) == {}
    assert {"turns[1].parts[1].id", "turns[2].parts[0].id", "turns[3].id"} <= set(changes(anthropic, request))


# ---- options


def test_top_logprobs_of_responses_stand_beside_logprobs_in_chat():
    request = responses.read_request({"input": "x", "top_logprobs": 3})
    assert {key: body(chat, request)[key] for key in ("top_logprobs", "logprobs")} == {
        "top_logprobs": 3,
        "logprobs": True,
    }
    back = chat.read_request({"messages": [{"role": "user", "content": "x"}], "logprobs": True, "top_logprobs": 3})
    sent = body(responses, back)
    assert (sent["top_logprobs"], sent["include"]) == (3, ["message.output_text.logprobs"])
    assert changes(responses, back) == {}


def test_verbosity_moves_within_openais_formats():
    request = responses.read_request({"input": "x", "text": {"verbosity": "low"}})
    assert (body(chat, request)["verbosity"], changes(chat, request)) == ("low", {})
    back = chat.read_request({"messages": [{"role": "user", "content": "x"}], "verbosity": "low"})
    assert (body(responses, back)["text"], changes(responses, back)) == ({"verbosity": "low"}, {})


@pytest.mark.parametrize("wire", OPENAI_FORMATS)
def test_a_tool_without_properties_is_completed_for_openai_and_told(wire):
    for parameters in ({}, {"type": "object"}):
        (tool,) = body(wire, ask(tools=(Tool(name="f", parameters=parameters),)))["tools"]
        assert tool.get("function", tool)["parameters"] == {"type": "object", "properties": {}}
        assert list(changes(wire, ask(tools=(Tool(name="f", parameters=parameters),)))) == ["tools[f].parameters"]


def test_a_tool_without_a_type_is_completed_for_claude_and_told():
    request = ask(tools=(Tool(name="f", parameters={"properties": {"a": {}}}),))
    assert body(anthropic, request)["tools"][0]["input_schema"] == {"type": "object", "properties": {"a": {}}}
    assert list(changes(anthropic, request)) == ["tools[f].parameters"]


def test_a_union_at_the_root_of_a_tools_schema_is_told_to_claude_in_words():
    union = {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    (tool,) = body(anthropic, ask(tools=(Tool(name="f", parameters=union),)))["tools"]
    assert tool["input_schema"] == {
        "type": "object", "description": '(oneOf: [{"required":["a"]},{"required":["b"]}])'
    }  # fmt: skip


@pytest.mark.parametrize("wire", OPENAI_FORMATS)
def test_a_shape_without_a_type_is_an_object_and_told(wire):
    request = ask(output=Output(json_schema={"properties": {"a": {}}}))
    form = body(wire, request).get("response_format") or body(wire, request)["text"]["format"]
    assert form.get("json_schema", form)["schema"] == {"type": "object", "properties": {"a": {}}}
    assert list(changes(wire, request)) == ["output.json_schema"]


@pytest.mark.parametrize("wire", [anthropic, responses])
def test_image_jpg_is_sent_under_its_registered_name_and_told(wire):
    picture = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/4AAQ"}}
    request = chat.read_request({"messages": [{"role": "user", "content": [picture]}]})
    assert "image/jpeg" in str(body(wire, request))
    assert list(changes(wire, request)) == ["turns[0].parts[0].media_type"]


@pytest.mark.parametrize("wire", [anthropic, chat, responses])
def test_the_order_of_properties_and_of_arguments_is_kept(wire):
    request = ask(
        user("x"), assistant(call("a", {"z": 1, "a": {"y": 10**30, "b": 1}})), user(result("a")),
        tools=(Tool(name="f", parameters=CLOSED),), output=Output(json_schema=CLOSED | {"additionalProperties": False}),
    )  # fmt: skip
    again = wire.read_request(body(wire, request))
    assert list(again.tools[0].parameters["properties"]) == list(again.output.json_schema["properties"]) == ["b", "a"]
    given = again.turns[1].parts[0].input
    assert (list(given), list(given["a"]), given["a"]["y"]) == (["z", "a"], ["y", "b"], 10**30)


def test_a_maximum_of_nothing_warms_claudes_cache_and_cannot_be_said_elsewhere():
    request = anthropic.read_request({"max_tokens": 0, "messages": [{"role": "user", "content": "x"}]})
    assert body(anthropic, request)["max_tokens"] == 0
    for wire in OPENAI_FORMATS:
        with pytest.raises(Unmappable, match="maximum of 0"):
            wire.write_request(request, "m")
