"""What a provider's constrained decoding accepts of a JSON Schema. The answer is always held against the original."""

from collections.abc import Mapping
from typing import Any

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
REFUSED = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
        "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "prefixItems", "minProperties",
        "maxProperties", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "not", "if",
        "then", "else", "unevaluatedProperties", "unevaluatedItems",
    }
)  # fmt: skip
VALUES = frozenset({"enum", "const", "default", "examples", "properties"})  # keywords that hold no schema themselves
OPEN_ENDED = frozenset(  # keywords that OpenAI's strict decoding refuses
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"}
)
VERBATIM = frozenset({"enum", "const", "default", "examples", "required"})
BY_NAME = ("properties", "$defs", "definitions")  # keywords whose keys are names, not keywords


class OpenObject(Exception):
    """The schema asks for an object with keys of any name, which closed decoding cannot say."""


def closed_schema(schema: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Rewrite a schema for Anthropic: objects closed, unsupported keywords told in words.

    Returns: A schema, equal to the given one where nothing had to change, or None where an object must stay open; and
    the names of the keywords that moved into a description, "" for none.
    """
    lost: set[str] = set()
    try:
        return _closed(schema, lost), ", ".join(sorted(lost))
    except OpenObject:
        return None, ""


def _closed(schema: Mapping[str, Any], lost: set[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    spoken: dict[str, Any] = {}
    for key, value in schema.items():
        if key in REFUSED or (key == "format" and value not in FORMATS) or (key == "minItems" and value not in {0, 1}):
            spoken[key] = value
        elif key in BY_NAME and isinstance(value, Mapping):
            made[key] = {name: _inner(child, lost) for name, child in value.items()}
        else:
            made["anyOf" if key == "oneOf" else key] = value if key in VERBATIM else _inner(value, lost)
    if spoken:
        lost.update(spoken)
        words = ", ".join(f"{key}: {value}" for key, value in spoken.items())
        made["description"] = " ".join(filter(None, (made.get("description"), f"({words})")))
    if _is_object(schema):
        _close(schema, made)
    return made


def _inner(value: Any, lost: set[str]) -> Any:
    if isinstance(value, Mapping):
        return _closed(value, lost)
    return [_inner(item, lost) for item in value] if isinstance(value, list) else value


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)


def _close(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    open_keys = schema.get("additionalProperties")
    if isinstance(open_keys, Mapping) or (not schema.get("properties") and open_keys is not False):
        raise OpenObject
    made["additionalProperties"] = False


def is_strict(schema: Any) -> bool:
    """Whether OpenAI's strict decoding takes a schema: all objects closed, and every property required.

    >>> is_strict({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False})
    True
    >>> is_strict({"type": "object", "properties": {"a": {}}, "additionalProperties": False})
    False
    """
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    if not OPEN_ENDED.isdisjoint(schema):
        return False
    properties = schema.get("properties")
    if (properties is not None or schema.get("type") == "object") and (
        schema.get("additionalProperties") is not False or set(schema.get("required") or ()) != set(properties or ())
    ):
        return False
    inner = [value for key, value in schema.items() if key not in VALUES]
    return all(map(is_strict, [*inner, *(properties or {}).values()]))
