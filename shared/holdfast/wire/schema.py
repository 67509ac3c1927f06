"""JSON Schemas as a target's strict decoding takes them: what it refuses, and a looser schema that it takes.

Whatever a target was told, its answer is held against the schema that was asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.wire.strict_rules import StrictRules

BY_NAME = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")  # their keys are names
VERBATIM = frozenset({"enum", "const", "default", "examples", "required", "dependentRequired"})  # they hold no schema
PATTERNS, LENGTHS = frozenset({"pattern", "format"}), frozenset({"minLength", "maxLength"})
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loosened:
    """A schema that a target takes, equal to the one asked for where ``lost`` is empty and no object was open.

    ``lost`` are the keywords that only stand in descriptions now, or were left out.
    """

    schema: dict[str, Any]
    lost: tuple[str, ...]


def loosened(schema: Schema, rules: StrictRules) -> Loosened | None:
    """Return the nearest schema that a target takes; None where none does, as with an object of any keys."""
    lost: set[str] = set()
    made = _loosen(schema, rules, lost)
    return None if refusals(made, rules) else Loosened(made, tuple(sorted(lost)))


def refusals(schema: Schema, rules: StrictRules) -> tuple[str, ...]:
    """Return what a target's strict decoding refuses of a schema, in words; nothing where it takes it."""
    parts = list(subschemas(schema))
    found = {problem for part, _ in parts for problem in _refused(part, rules)}
    found |= set(_refused_in_all(schema, parts, rules))
    return tuple(sorted(found))


def completed(schema: Schema, *, properties: bool) -> dict[str, Any]:
    """Return a tool's schema with the type that every API demands of it, and with properties where one does.

    >>> completed({"properties": {}}, properties=True), completed({}, properties=True)
    ({'type': 'object', 'properties': {}}, {'type': 'object', 'properties': {}})
    """
    made = dict(schema) if "type" in schema else {"type": "object", **schema}
    return {**made, "properties": {}} if properties and made.get("properties") is None else made


def subschemas(schema: Any, level: int = 0) -> Iterator[tuple[Schema, int]]:
    """Yield a schema and all inside of it, each with how many objects stand around it."""
    if isinstance(schema, list):
        for item in schema:
            yield from subschemas(item, level)
    if not isinstance(schema, Mapping):
        return
    yield schema, level
    inside = level + _is_object(schema)
    for key, value in schema.items():
        if key in BY_NAME and isinstance(value, Mapping):
            for child in value.values():
                yield from subschemas(child, level if key in {"$defs", "definitions"} else inside)
        elif key not in VERBATIM:
            yield from subschemas(value, inside)


def _refused(schema: Schema, rules: StrictRules) -> Iterator[str]:
    """Yield what is refused of one schema, whatever stands inside of it."""
    yield from (key for key, value in schema.items() if not _takes(key, value, rules))
    if _has_lengths_too_many(schema, rules):
        yield "lengths beside a pattern or a format"
    if not rules.ref_siblings and "$ref" in schema and len(schema) > 1:
        yield "keywords beside $ref"
    if not _is_object(schema):
        return
    if rules.closed and schema.get("additionalProperties") is not False:
        yield "an open object"
    if rules.all_required and _optional(schema):
        yield "optional properties"


def _refused_in_all(schema: Schema, parts: list[tuple[Schema, int]], rules: StrictRules) -> Iterator[str]:
    if rules.object_root and (schema.get("type") != "object" or "anyOf" in schema):
        yield "a root that is no object"
    if rules.optional is not None and sum(_optional(part) for part, _ in parts) > rules.optional:
        yield f"more than {rules.optional} optional properties"
    if rules.properties is not None and sum(_properties(part) for part, _ in parts) > rules.properties:
        yield f"more than {rules.properties} properties"
    if rules.enum_values is not None and sum(len(_list(part.get("enum"))) for part, _ in parts) > rules.enum_values:
        yield f"more than {rules.enum_values} enum values"
    if rules.depth is not None and any(level >= rules.depth and _is_object(part) for part, level in parts):
        yield f"more than {rules.depth} levels"
    if not rules.recursion and is_recursive(schema):
        yield "recursion"
    if any(not str(part.get("$ref", "#")).startswith("#") for part, _ in parts):
        yield "a reference outside of the schema"


def _takes(key: str, value: Any, rules: StrictRules) -> bool:
    if key not in rules.keywords:
        return False
    if key == "format":
        return rules.formats is None or (isinstance(value, str) and value in rules.formats)
    if key == "minItems":
        return rules.least_items is None or (isinstance(value, int) and value in rules.least_items)
    if key == "pattern" and rules.whole_patterns:
        return isinstance(value, str) and value.startswith("^") and value.endswith("$")
    if key == "allOf" and rules.single_all_of:
        return isinstance(value, list) and len(value) == 1
    return not (key == "enum" and rules.plain_enums and any(isinstance(item, Mapping | list) for item in _list(value)))


def _has_lengths_too_many(schema: Schema, rules: StrictRules) -> bool:
    return not rules.patterns_with_lengths and bool(PATTERNS & schema.keys()) and bool(LENGTHS & schema.keys())


def is_recursive(schema: Schema) -> bool:
    """Whether a schema leads back into itself by its references."""

    def leads_back(pointer: str, path: tuple[str, ...]) -> bool:
        if pointer in path:
            return True
        target = _target(schema, pointer)
        return any(leads_back(each, (*path, pointer)) for each in _references(target))

    return any(leads_back(pointer, ("#",)) for pointer in _references(schema))


def _references(schema: Any) -> set[str]:
    return {ref for part, _ in subschemas(schema) if isinstance(ref := part.get("$ref"), str) and ref.startswith("#")}


def _target(schema: Schema, pointer: str) -> Any:
    here: Any = schema
    for step in pointer.removeprefix("#").strip("/").split("/") if pointer != "#" else ():
        here = here.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(here, Mapping) else None
    return here


def _loosen(schema: Schema, rules: StrictRules, lost: set[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    spoken: dict[str, Any] = {}
    for key, value in schema.items():
        name = "anyOf" if key == "oneOf" and "oneOf" not in rules.keywords and "anyOf" not in schema else key
        if not _takes(name, value, rules) or (key in LENGTHS and _has_lengths_too_many(schema, rules)):
            spoken[key] = value
        elif key in BY_NAME and isinstance(value, Mapping):
            made[name] = {each: _loosen_inside(child, rules, lost) for each, child in value.items()}
        else:
            made[name] = value if key in VERBATIM else _loosen_inside(value, rules, lost)
    lost.update(spoken)
    if not rules.ref_siblings and "$ref" in made and len(made) + bool(spoken) > 1:
        lost.update(made.keys() - {"$ref"})
        return {"$ref": made["$ref"]}
    if spoken:
        words = ", ".join(f"{key}: {value}" for key, value in spoken.items())
        made["description"] = " ".join(filter(None, (made.get("description"), f"({words})")))
    if rules.closed and _may_be_closed(schema):
        made["additionalProperties"] = False
    return made


def _loosen_inside(value: Any, rules: StrictRules, lost: set[str]) -> Any:
    if isinstance(value, Mapping):
        return _loosen(value, rules, lost)
    return [_loosen_inside(item, rules, lost) for item in value] if isinstance(value, list) else value


def _is_object(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)


def _may_be_closed(schema: Schema) -> bool:
    """Whether an object says which keys it has, so that others were never meant."""
    return _is_object(schema) and bool(schema.get("properties")) and schema.get("additionalProperties") in (None, True)


def _properties(schema: Schema) -> int:
    properties = schema.get("properties")
    return len(properties) if isinstance(properties, Mapping) else 0


def _optional(schema: Schema) -> int:
    """How many properties an object may go without."""
    properties, required = schema.get("properties"), schema.get("required")
    names = set(properties) if isinstance(properties, Mapping) else set()
    return len(names - {name for name in _list(required) if isinstance(name, str)})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
