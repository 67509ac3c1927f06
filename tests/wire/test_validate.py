"""An answer is held against the shape that its job asked for."""

import time

import pytest

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Output, Request, Role, Text, ToolUse, Turn
from holdfast.wire.json_schema import compiled, schema_problem
from holdfast.wire.validate import check

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


def asking(output):
    return Request(turns=(Turn(role=Role.USER, parts=(Text(text="x"),)),), output=output)


def reply(text, finish=Finish.STOP, calls=()):
    return Reply(text=text, finish=finish, tool_calls=calls, usage=Usage(), model="m", provider_request_id="req_1")


@pytest.mark.parametrize(
    ("text", "holds"),
    [('{"n": 1}', True), ('{"n": 0}', False), ("{}", False), ('{"n": "1"}', False), ("[]", False), ("n = 1", False),
     ('{"n": 1', False), ("", False), ('```json\n{"n": 1}\n```', False)],
)  # fmt: skip
def test_an_answer_satisfies_its_schema_or_is_bad_output(text, holds):
    fault = check(asking(Output(json_schema=SCHEMA)), reply(text))
    assert (fault is None) is holds
    if fault:
        assert (fault.kind, fault.provider_request_id, fault.ambiguous) == (FaultKind.BAD_OUTPUT, "req_1", False)


def test_the_fault_names_the_place_and_the_rule_and_not_the_answer():
    fault = check(asking(Output(json_schema=SCHEMA)), reply('{"n": "secret"}'))
    assert fault is not None
    assert fault.message == "the answer breaks the job's JSON Schema at $.n: type."


@pytest.mark.parametrize(("text", "holds"), [('{"a": 1}', True), ("[1]", False), ('"a"', False), ("no", False)])
def test_without_a_schema_any_object_will_do(text, holds):
    assert (check(asking(Output()), reply(text)) is None) is holds


def test_nothing_was_asked_and_nothing_is_checked():
    assert check(asking(None), reply("no JSON")) is None


@pytest.mark.parametrize("finish", [Finish.LENGTH, Finish.REFUSED])
def test_a_cut_or_refused_answer_is_let_through_as_what_it_is(finish):
    assert check(asking(Output(json_schema=SCHEMA)), reply("{", finish)) is None


def test_a_call_of_a_tool_is_no_answer_yet():
    call = ToolUse(id="c", name="f", input={})
    assert check(asking(Output(json_schema=SCHEMA)), reply("", Finish.TOOL_CALLS, (call,))) is None


def test_a_schema_is_compiled_once_however_its_keys_are_ordered():
    compiled.cache_clear()
    for schema in (SCHEMA, dict(reversed(SCHEMA.items()))):
        assert check(asking(Output(json_schema=schema)), reply('{"n": 1}')) is None
    assert compiled.cache_info().currsize == 1


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/schema", "file:///etc/passwd", "#/$defs/missing"])
def test_a_reference_to_elsewhere_is_never_followed(target):
    fault = check(asking(Output(json_schema={"$ref": target})), reply("{}"))
    assert fault is not None
    assert "refers to what is not in it" in fault.message


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/properties/a/type", "properties": {"a": {"type": "string"}}},
        {"properties": {"a": {"$ref": "#/x/0"}}, "x": ["hello"]},
        {"$ref": "#/properties/a/minimum", "properties": {"a": {"minimum": 3}}},
        {"$ref": "urn:x"},
        {"$ref": "%%%"},
        {"$id": "::::", "$ref": "#"},
        {"$id": 3},
        {"$schema": ["a"]},
        {"const": float("nan")},
        {"required": ["\ud800"]},
        {"pattern": "(" * 5000},
        {"pattern": "a" * 10**6},
        {"patternProperties": {"(a|b)*" * 10**4: {}}},
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_a_schema_that_nothing_can_be_held_against_is_a_fault_of_its_job_alone(schema):
    fault = check(asking(Output(json_schema=schema)), reply("{}"))
    assert fault is not None
    assert (fault.kind, fault.wrong_everywhere) == (FaultKind.BAD_OUTPUT, True)


def nested(levels):
    schema = {"type": "integer"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def test_a_schema_or_an_answer_that_is_nested_too_deeply_is_a_fault_and_no_crash():
    for levels in (200, 5000):
        fault = check(asking(Output(json_schema=nested(levels))), reply("{}"))
        assert fault is not None
        assert fault.wrong_everywhere
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    assert check(asking(Output(json_schema={"properties": {"a": {"$ref": "#"}}})), reply(deep)) is not None


@pytest.mark.parametrize(
    ("schema", "text", "holds"),
    [
        ({"maximum": 2**70}, str(2**71), False),
        ({"maximum": 2**70}, str(2**69), True),
        ({"const": 10**30}, str(10**30), True),
        ({"enum": [10**30]}, str(10**30 + 1), False),
        ({"type": "integer"}, str(2**64), True),
        ({"multipleOf": 10}, str(10**30 + 1), False),
    ],
)
def test_integers_of_any_size_are_checked_exactly(schema, text, holds):
    assert (check(asking(Output(json_schema=schema)), reply(text)) is None) is holds


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
def test_what_only_looks_like_a_number_is_no_json(text):
    assert check(asking(Output(json_schema={"type": "number"})), reply(text)) is not None


def test_a_paused_answer_is_none_yet_and_one_whose_end_nobody_knows_is_checked():
    paused = reply("{", Finish.OTHER).model_copy(update={"finish_word": "pause_turn"})
    assert check(asking(Output()), paused) is None
    assert check(asking(Output()), paused.model_copy(update={"finish_word": "repetition"})) is not None


def test_a_schema_that_refers_to_itself_is_checked():
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    assert check(asking(Output(json_schema=schema)), reply('{"next": {"next": {}}}')) is None
    assert check(asking(Output(json_schema=schema)), reply('{"next": {"other": {}}}')) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("^(a+)+$", "a" * 60, True),
        ("^(a+)+$", "a" * 60 + "!", False),  # an engine that turns back would take for ever
        ("^(?=.*[0-9])[a-z0-9]+$", "abc1", True),
        ("^(?=.*[0-9])[a-z0-9]+$", "abc", False),
        (r"^(a|b)\1$", "aa", True),
        (r"^(\w+\s?)*(?!x)$", "a" * 60 + "!", False),  # given up after so many steps
        (r"^\p{L}+$", "Ünïcode", True),
    ],
)
def test_a_pattern_is_matched_in_bounded_time(pattern, text, holds):
    schema, began = {"type": "string", "pattern": pattern}, time.process_time()
    fault = check(asking(Output(json_schema=schema)), reply(f'"{text}"'))
    assert (fault is None) is holds
    assert time.process_time() - began < 2  # seconds of CPU; it takes some milliseconds
    assert fault is None or fault.message == "the answer breaks the job's JSON Schema at $: pattern."


def test_a_pattern_that_no_engine_reads_is_told():
    fault = check(asking(Output(json_schema={"pattern": "["})), reply('"a"'))
    assert fault is not None
    assert fault.message == "the job's JSON Schema has a pattern that cannot be read."


def test_a_draft_that_nobody_knows_is_taken_as_the_newest_and_asked_of_nobody():
    schema = {"$schema": "http://127.0.0.1:1/draft", "type": "string"}
    assert schema_problem(schema) is None
    assert check(asking(Output(json_schema=schema)), reply('"a"')) is None
    assert check(asking(Output(json_schema=schema)), reply("1")) is not None


@pytest.mark.parametrize("schema", [{"type": "strin"}, {"required": "a"}, {"properties": 3}])
def test_what_is_no_schema_is_told_before_a_job_is_accepted(schema):
    problem = schema_problem(schema)
    assert problem is not None
    assert problem.startswith("is no JSON Schema: at $.")
