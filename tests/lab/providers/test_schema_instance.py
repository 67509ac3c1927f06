"""An answer held to a JSON Schema is an instance of it, and depends on the prompt alone."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.lab.providers.schema_instance import instance

NODE: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    "required": ["name", "children"],
    "additionalProperties": False,
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "an object": {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "why": {"type": "string"}},
        "required": ["ok", "why"],
        "additionalProperties": False,
    },
    "an enum": {"type": "string", "enum": ["billing", "delivery", "praise"]},
    "a constant": {"const": 7},
    "a union": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "a list of types": {"type": ["null", "integer"]},
    "bounds": {"type": "integer", "exclusiveMinimum": 3, "maximum": 9, "multipleOf": 4},
    "a negative number": {"type": "number", "maximum": -2.5},
    "an open interval": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "a long string": {"type": "string", "minLength": 60},
    "a short string": {"type": "string", "maxLength": 3},
    "a date": {"type": "string", "format": "date"},
    "a long list": {"type": "array", "items": {"type": "integer"}, "minItems": 5},
    "a tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2},
    "a recursive tree": {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    "several at once": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "null"}}, "required": ["b"]},
        ]
    },
    "a required property that nothing describes": {"type": "object", "required": ["anything"]},
}


@pytest.mark.parametrize("name", SCHEMAS)
@given(text=st.text(max_size=20), seed=st.integers(0, 2**32 - 1))
def test_the_answer_is_an_instance_of(name: str, text: str, seed: int) -> None:
    jsonschema_rs.validate(SCHEMAS[name], instance(SCHEMAS[name], text, seed))


def test_different_prompts_pick_different_values_of_an_enum() -> None:
    assert {instance(SCHEMAS["an enum"], "", seed) for seed in range(3)} == {"billing", "delivery", "praise"}


@given(st.integers(-50, 50), st.integers(0, 50), st.booleans(), st.booleans())
def test_whole_numbers_keep_their_bounds(low, width, open_below, open_above) -> None:
    schema = {
        "type": "integer",
        "exclusiveMinimum" if open_below else "minimum": low,
        "exclusiveMaximum" if open_above else "maximum": low + width + 2,
    }
    jsonschema_rs.validate(schema, instance(schema, ""))
