"""A schema as each target's strict decoding takes it: what it refuses is named, and loosened, never sent to fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.wire.schema import completed, is_recursive, loosened, refusals
from holdfast.wire.strict_rules import (
    ANTHROPIC,
    AZURE,
    FIREWORKS,
    GEMINI,
    GROQ,
    LLAMA_CPP,
    MISTRAL,
    OPENAI,
    TABLE,
    VLLM,
    XAI,
)

TEXT = {"type": "string"}
NODE = {
    "type": "object",
    "properties": {"value": TEXT, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
    "additionalProperties": False,
}
RECURSIVE = {**NODE, "$defs": {"node": NODE}}


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def many(count, **rest):
    return {**closed(**{f"p{n}": TEXT for n in range(count)}), **rest}


def nested(levels):
    return closed(a=nested(levels - 1)) if levels else TEXT


@pytest.mark.parametrize("rules", TABLE, ids=lambda rules: rules.target)
def test_every_target_takes_a_closed_object_of_required_properties_and_names_its_source(rules):
    plain = closed(a=TEXT, b={"type": "array", "items": TEXT}, c={"anyOf": [TEXT, {"type": "null"}]})
    assert refusals(plain, rules) == ()
    assert loosened(plain, rules).schema == plain
    assert "." in rules.source.split(":")[0]


@pytest.mark.parametrize(
    ("rules", "schema", "problem"),
    [
        (OPENAI, RECURSIVE, None),
        (OPENAI, closed(a={"allOf": [TEXT]}), "allOf"),
        (OPENAI, closed(a={"oneOf": [TEXT], "anyOf": [TEXT]}), "oneOf"),
        (OPENAI, closed(a={"type": "array", "items": TEXT, "uniqueItems": True}), "uniqueItems"),
        (OPENAI, closed(a={"type": "array", "prefixItems": [TEXT]}), "prefixItems"),
        (OPENAI, closed(a={"type": "object", "propertyNames": TEXT, "additionalProperties": False}), "propertyNames"),
        (OPENAI, closed(a={**TEXT, "format": "uri"}), "format"),
        (OPENAI, closed(a={**TEXT, "format": "date-time"}), None),
        (OPENAI, closed(a={**TEXT, "default": "x"}), "default"),
        (OPENAI, {**closed(a={"$ref": "#/$defs/t", "description": "d"}), "$defs": {"t": TEXT}}, "keywords beside $ref"),
        (OPENAI, {"type": "array", "items": TEXT}, "a root that is no object"),
        (OPENAI, {"anyOf": [closed(a=TEXT), closed(b=TEXT)]}, "a root that is no object"),
        (OPENAI, closed(a={"type": "object"}), "an open object"),
        (OPENAI, {**closed(a=TEXT), "required": []}, "optional properties"),
        (OPENAI, many(5_001), "more than 5000 properties"),
        (OPENAI, nested(10), None),
        (OPENAI, nested(11), "more than 10 levels"),
        (OPENAI, closed(a={"enum": list(range(1_001))}), "more than 1000 enum values"),
        (OPENAI, closed(a={"$ref": "https://example.org/s.json"}), "a reference outside of the schema"),
        (AZURE, closed(a={**TEXT, "pattern": "^a"}), "pattern"),
        (AZURE, closed(a={"type": "integer", "minimum": 1}), "minimum"),
        (AZURE, many(101), "more than 100 properties"),
        (AZURE, nested(6), "more than 5 levels"),
        (ANTHROPIC, RECURSIVE, "recursion"),
        (ANTHROPIC, many(25, required=[]), "more than 24 optional properties"),
        (ANTHROPIC, many(24, required=[]), None),
        (ANTHROPIC, closed(a={"enum": [{"b": 1}]}), "enum"),
        (ANTHROPIC, closed(a={"type": "array", "items": TEXT, "minItems": 2}), "minItems"),
        (ANTHROPIC, closed(a={"type": "array", "items": TEXT, "minItems": 1}), None),
        (GEMINI, closed(a={**TEXT, "pattern": "^a"}), "pattern"),
        (GEMINI, closed(a={"type": "array", "prefixItems": [TEXT]}), None),
        (GEMINI, {"type": "object"}, None),
        (GROQ, {**closed(a=TEXT), "required": []}, "optional properties"),
        (MISTRAL, {**closed(a={"$ref": "#/$defs/t", "title": "d"}), "$defs": {"t": TEXT}}, "keywords beside $ref"),
        (XAI, RECURSIVE, "recursion"),
        (XAI, closed(a={**TEXT, "minLength": 2}), "minLength"),
        (XAI, closed(a={"allOf": [TEXT, TEXT]}), "allOf"),
        (XAI, closed(a={"allOf": [TEXT]}), None),
        (VLLM, closed(a={"type": "number", "multipleOf": 2}), "multipleOf"),
        (VLLM, closed(a={"type": "string", "pattern": "a", "maxLength": 5}), "lengths beside a pattern or a format"),
        (VLLM, closed(a={"type": "string", "format": "email", "minLength": 5}), "lengths beside a pattern or a format"),
        (VLLM, closed(a={"type": "string", "maxLength": 5}), None),
        (VLLM, RECURSIVE, None),
        (FIREWORKS, closed(a={"oneOf": [TEXT]}), "oneOf"),
        (LLAMA_CPP, closed(a={"not": TEXT}), "not"),
        (LLAMA_CPP, closed(a={"type": "string", "pattern": "a+"}), "pattern"),
        (LLAMA_CPP, closed(a={"type": "string", "pattern": "^a+$"}), None),
        (LLAMA_CPP, closed(a={"type": "string", "format": "uri"}), "format"),
        (LLAMA_CPP, closed(a={"type": "array", "prefixItems": [TEXT]}), "prefixItems"),
    ],
    ids=lambda value: getattr(value, "target", None) or (value if isinstance(value, str) else None),
)  # fmt: skip
def test_what_a_target_refuses_of_a_schema(rules, schema, problem):
    assert refusals(schema, rules) == (() if problem is None else (problem,))


def test_what_decoding_refuses_of_a_keyword_is_told_in_words():
    ruled = {"type": "integer", "minimum": 1, "description": "a count"}
    found = loosened(closed(a=ruled), ANTHROPIC)
    assert found.schema["properties"]["a"] == {"type": "integer", "description": "a count (minimum: 1)"}
    assert found.lost == ("minimum",)


def test_lengths_beside_a_pattern_are_told_in_words_where_a_target_decodes_one_of_them_alone():
    found = loosened(closed(a={"type": "string", "pattern": "a", "maxLength": 5}), VLLM)
    assert found.schema["properties"]["a"] == {"type": "string", "pattern": "a", "description": "(maxLength: 5)"}
    assert found.lost == ("maxLength",)


def test_one_of_becomes_any_of_and_is_told_in_words_where_both_stand():
    alone, both = {"oneOf": [TEXT]}, {"oneOf": [TEXT], "anyOf": [{"type": "null"}]}
    assert loosened(closed(a=alone), ANTHROPIC).schema["properties"]["a"] == {"anyOf": [TEXT]}
    found = loosened(closed(a=both), ANTHROPIC)
    assert found.schema["properties"]["a"]["anyOf"] == [{"type": "null"}]
    assert found.lost == ("oneOf",)


def test_an_object_that_names_its_keys_is_closed_and_one_of_any_keys_has_no_looser_form():
    assert loosened({"type": "object", "properties": {"a": TEXT}}, ANTHROPIC).schema["additionalProperties"] is False
    assert loosened({"type": "object"}, ANTHROPIC) is None
    assert loosened(closed(a={"type": "object", "additionalProperties": TEXT}), ANTHROPIC) is None


def test_the_order_of_properties_is_kept():
    ordered = closed(reasoning={**TEXT, "minLength": 1}, answer=TEXT)
    assert list(loosened(ordered, ANTHROPIC).schema["properties"]) == ["reasoning", "answer"]


def test_recursion_is_found_by_references_alone():
    assert is_recursive({"$ref": "#"})
    assert is_recursive(RECURSIVE)
    twice = closed(a={"$ref": "#/$defs/t"}, b={"$ref": "#/$defs/t"})
    assert not is_recursive({**twice, "$defs": {"t": TEXT}})
    assert not is_recursive(closed(a={"$ref": "#/$defs/missing"}))


def test_a_property_that_is_named_like_a_keyword_is_a_property():
    assert refusals(closed(oneOf=TEXT, minimum=TEXT), OPENAI) == ()


def test_a_tools_schema_is_completed_by_what_it_lacks_alone():
    assert completed({"type": "object", "properties": {"a": TEXT}}, properties=True) == {
        "type": "object", "properties": {"a": TEXT}
    }  # fmt: skip
    assert completed({"properties": {"a": TEXT}}, properties=False) == {"type": "object", "properties": {"a": TEXT}}
    assert completed({"type": "object"}, properties=False) == {"type": "object"}


KEYWORDS = ["type", "properties", "required", "enum", "format", "minItems", "$ref", "$defs", "anyOf", "items"]
nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "#", "#/$defs/a", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from([*KEYWORDS, "additionalProperties", "allOf"]), nonsense, max_size=5))
def test_a_schema_of_any_json_is_judged_and_loosened_without_an_error(schema):
    for rules in TABLE:
        found = loosened(schema, rules)
        assert found is None or refusals(found.schema, rules) == ()
