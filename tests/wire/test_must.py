"""What a job asks of its answer beyond a schema: read by the submit, held against the answer, told when broken."""

import json
import time

import pytest

from holdfast.model.errors import InvalidRequest
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Must, Output, Request, Role, Text, Turn
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.batch_line import read_job
from holdfast.wire.json_answer import unwrap_json
from holdfast.wire.must import read_must, steps_of
from holdfast.wire.repair import repair_prompt, repaired
from holdfast.wire.validate import check

ASK = Request(turns=(Turn(role=Role.USER, parts=(Text(text="x"),)),))


def answered(text: str, finish: Finish = Finish.STOP) -> Reply:
    return Reply(text=text, finish=finish, usage=Usage(), model="m")


def fault_of(rule: dict, text: str) -> str | None:
    """What is wrong with an answer by one rule, as a person reads it."""
    fault = check(ASK.model_copy(update={"must": read_must([rule])}), answered(text))
    assert fault is None or fault.kind is FaultKind.BAD_OUTPUT
    return fault and fault.message.removeprefix("the answer breaks must[0], ").removesuffix(".")


@pytest.mark.parametrize(
    ("rule", "kept", "broken", "how"),
    [
        ({"regex": "^[A-Z]{2}$"}, " NO\n", "Norway", "regex"),
        ({"regex": "yes|no"}, "well, yes", "perhaps", "regex"),
        ({"min_length": 3}, "abc", " ab ", "min_length"),
        ({"one_of": ["yes", "no"]}, "yes\n", "Yes", "one_of"),
        ({"json_path": "$.a[0]"}, '{"a": [null]}', '{"a": []}', "json_path: there is nothing at $.a[0]"),
        ({"json_path": "$.a[0]"}, '{"a": [1]}', "no JSON", "json_path: the answer is no JSON"),
        ({"json_path": "$['a b'].*"}, '{"a b": {"c": 1}}', '{"a b": {}}', "json_path: there is nothing at $['a b'].*"),
        ({"json_path": "$.a", "one_of": [1, 2]}, '{"a": 2}', '{"a": "2"}', "one_of at $.a"),
        ({"json_path": "$[*].a", "regex": "^x"}, '[{"a": "xy"}]', '[{"a": "xy"}, {"a": "y"}]', "regex at $[*].a"),
        ({"json_path": "$.a", "min_length": 2}, '{"a": [1, 2]}', '{"a": [1]}', "min_length at $.a"),
        ({"json_path": "$.a", "min_length": 2}, '{"a": "ab"}', '{"a": 99}', "min_length at $.a"),
        ({"json_path": "$.a", "regex": "5"}, '{"a": "5"}', '{"a": 5}', "regex at $.a"),
    ],
)
def test_an_answer_keeps_a_rule_or_breaks_it_at_a_place(rule, kept, broken, how):
    assert fault_of(rule, kept) is None
    assert fault_of(rule, broken) == how


def test_the_first_rule_that_is_broken_is_named_by_its_place_and_the_answer_is_not_repeated():
    rules = read_must([{"min_length": 2}, {"one_of": ["a secret"]}])
    fault = check(ASK.model_copy(update={"must": rules}), answered("private"))
    assert fault.message == "the answer breaks must[1], one_of."


@pytest.mark.parametrize("finish", [Finish.LENGTH, Finish.REFUSED, Finish.TOOL_CALLS])
def test_what_is_no_answer_yet_breaks_nothing(finish):
    assert check(ASK.model_copy(update={"must": (Must(min_length=9),)}), answered("", finish)) is None


def test_a_schema_is_held_against_the_answer_before_the_rules():
    asked = ASK.model_copy(update={"output": Output(json_schema={"type": "object"}), "must": (Must(min_length=99),)})
    assert "JSON Schema" in check(asked, answered("[]")).message
    assert "must[0]" in check(asked, answered("{}")).message


def test_json_in_a_code_fence_is_unwrapped_for_a_rule_with_a_path():
    asked = ASK.model_copy(update={"must": (Must(json_path="$.a"),)})
    assert unwrap_json(asked, answered('```json\n{"a": 1}\n```')).text == '{"a": 1}'
    assert unwrap_json(ASK, answered("```json\n{}\n```")).text.startswith("```")


def test_a_hostile_expression_takes_no_time():
    began = time.process_time()
    assert fault_of({"regex": "^(a+)+$"}, "a" * 100_000 + "!") == "regex"
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("x", "must: expected an array"),
        ([{}] * 21, "must: expected an array"),
        ([{}], "must[0]: expected an object of"),
        ([{"length": 3}], "must[0]: expected an object of"),
        ([{"min_length": 0}], "must[0].min_length"),
        ([{"min_length": "a"}], "must[0].min_length"),
        ([{"regex": "("}], "must[0].regex: cannot be matched in linear time"),
        ([{"regex": "(?=a)"}], "must[0].regex: cannot be matched in linear time"),
        ([{"regex": r"(a)\1"}], "must[0].regex: cannot be matched in linear time"),
        ([{"regex": "a" * 1001}], "must[0].regex: is longer than"),
        ([{"json_path": "$..a"}], "must[0].json_path: expected a path such as"),
        ([{"json_path": "$.a"}, {"json_path": "a"}], "must[1].json_path: expected a path such as"),
        ([{"one_of": []}], "must[0].one_of: expected 1 to"),
        ([{"one_of": [1]}], "must[0].one_of: expected texts"),
    ],
)
def test_a_rule_that_no_answer_could_be_held_against_is_refused_at_the_door(given, said):
    with pytest.raises(InvalidRequest) as caught:
        read_must(given)
    assert said in str(caught.value)


def test_steps_of_a_path_are_names_indices_and_all():
    assert steps_of("""$.größe["a'b"]['c"d'][12].*[*]""") == ("größe", "a'b", 'c"d', 12, None, None)
    assert [steps_of(path) for path in ("$", "$.", "$[", "$[-1]", "$[1:2]", "$.a b")] == [(), *[None] * 5]


NEUTRAL = {"turns": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]}
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    "line",
    [
        {"model": "m", "prompt": "x"},
        {"custom_id": "1", "body": BODY},
        {"custom_id": "1", "params": BODY | {"max_tokens": 9}},
    ],
)
def test_a_line_of_any_form_may_carry_rules(line):
    request = read_job(line | {"must": [{"one_of": ["a"]}], "repair": True}).request
    assert (request.must, request.repair) == ((Must(one_of=("a",)),), True)
    assert read_job(line).request.must == ()


def test_a_neutral_request_may_hold_rules_and_a_repair_itself():
    request = read_job({"model": "m", "request": NEUTRAL | {"must": [{"min_length": 2}], "repair": True}}).request
    assert (request.must, request.repair) == ((Must(min_length=2),), True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"model": "m", "request": NEUTRAL | {"must": [{"regex": "(?=a)"}]}}, "must.0..regex: cannot be matched"),
        ({"model": "m", "prompt": "x", "repair": True}, "repair: needs a must or an output schema"),
        ({"url": "/v1/embeddings", "body": {"model": "m", "input": "x"}, "must": [{"min_length": 1}]}, "must: is for"),
        *[({"model": "m", "prompt": "x", "must": none}, "must: expected an array") for none in ({}, 0, False, "")],
        ({"model": "m", "prompt": "x", "repair": "yes"}, "repair: expected true or false"),
    ],
)
def test_terms_that_make_no_sense_are_refused_at_the_door(line, said):
    with pytest.raises(InvalidRequest, match=said):
        read_job(line)


# ---- repair

RULES = (Must(one_of=("a", "b")), Must(json_path="$.c", regex="^x", min_length=2), Must(json_path="$.d"))


def test_a_repair_says_what_was_wrong_and_every_rule():
    assert repair_prompt(ASK.model_copy(update={"must": RULES}), "the answer breaks must[0], one_of.") == (
        "An earlier answer of yours was not taken: the answer breaks must[0], one_of.\n"
        "It has to keep these rules:\n"
        '- it is one of "a", "b"\n'
        "- what stands at $.c has the regular expression ^x and is at least 2 long\n"
        "- it is JSON in which something stands at $.d\n"
        "Answer again, with nothing but the answer itself."
    )


@pytest.mark.parametrize(
    ("wire", "line", "key"),
    [
        (chat, {"custom_id": "1", "body": BODY | {"n": 10**20}}, "messages"),
        (anthropic, {"custom_id": "1", "params": BODY | {"max_tokens": 9}}, "messages"),
        (responses, {"custom_id": "1", "url": "/v1/responses", "body": {"model": "m", "input": "x"}}, "input"),
    ],
)
def test_a_repaired_request_has_one_turn_more_for_every_route(wire, line, key):
    request = read_job(json.dumps(line | {"must": [{"min_length": 2}]}).encode()).request
    asked, note = repaired(request, "it is short.", 1)
    sent = json.loads(asked.written.body)
    body = line.get("body") or line["params"]
    assert sent[key][-1]["role"] == "user"
    assert "it is short." in sent[key][-1]["content"]
    assert {name: sent[name] for name in sent.keys() - {key}} == {name: body[name] for name in body.keys() - {key}}
    assert wire.read_request(sent).turns == asked.turns
    assert (note.field, "repair 1 of 2" in note.note) == ("turns", True)


def test_a_plain_request_is_repaired_in_its_neutral_form():
    request = read_job({"model": "m", "prompt": "x", "must": [{"min_length": 2}]}).request
    asked, _ = repaired(request, "it is short.", 2)
    assert asked.turns[:-1] == request.turns
    assert (asked.turns[-1].role, asked.must) == (Role.USER, request.must)
