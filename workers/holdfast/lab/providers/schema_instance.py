"""Make an instance of a JSON Schema: what a model answers when it is held to one.

It covers what strict structured output allows (objects, arrays, scalars, enum, const, unions, references, bounds and
the usual formats), not all of JSON Schema: ``pattern`` and ``not`` are passed over.
"""

from collections.abc import Mapping
from typing import Any

DEPTH = 12  # a recursive schema ends in its shortest form below this

FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "PT1M",
    "email": "someone@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


Schema = Mapping[str, Any] | bool


def instance(schema: Schema, text: str, seed: int = 0) -> Any:
    """An instance of ``schema``: free strings hold ``text``, and ``seed`` picks among the values of an enum.

    >>> instance({"type": "object", "properties": {"ok": {"type": "boolean"}, "why": {"type": "string"}}}, "because")
    {'ok': True, 'why': 'because'}
    """
    return _Maker(schema if isinstance(schema, Mapping) else {}, text, seed).make(schema, 0)


class _Maker:
    def __init__(self, root: Mapping[str, Any], text: str, seed: int) -> None:
        self.root, self.text, self.seed = root, text, seed

    def make(self, schema: Schema, depth: int) -> Any:
        if isinstance(schema, bool):
            return {}
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][self.seed % len(schema["enum"])]
        for union in ("anyOf", "oneOf"):
            if schema.get(union):
                return self.make(self._branch(schema[union], depth), depth + 1)
        return self._typed(schema, _type(schema), depth)

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a reference inside the document, and fold allOf into one schema."""
        while "$ref" in schema:
            schema = {**_find(self.root, schema["$ref"]), **{k: v for k, v in schema.items() if k != "$ref"}}
        if not schema.get("allOf"):
            return schema
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in map(self._resolve, schema["allOf"]):
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            required = [*merged.get("required", []), *part.get("required", [])]
            merged = {**merged, **part, "properties": properties, "required": required}
        return merged

    def _branch(self, branches: list[Any], depth: int) -> Any:
        """The first branch; deep inside, one that ends the recursion where there is one."""
        if depth < DEPTH:
            return branches[0]
        flat = (b for b in branches if isinstance(b, Mapping) and b.get("type") not in {None, "object", "array"})
        return next(flat, branches[-1])

    def _typed(self, schema: Mapping[str, Any], kind: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                items = schema.get("prefixItems", [])
                count = max(len(items), schema.get("minItems", 0 if depth >= DEPTH else 1))
                count = min(count, schema.get("maxItems", count))
                every = [*items, *[schema.get("items", {"type": "string"})] * count][:count]
                return [self.make(item, depth + 1) for item in every]
            case "integer" | "number":
                return _number(schema, whole=kind == "integer")
            case "boolean":
                return self.seed % 2 == 0
            case "null":
                return None
            case _:
                return self._string(schema)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        wanted = properties if depth < DEPTH else {name: properties[name] for name in required if name in properties}
        made = {name: self.make(part, depth + 1) for name, part in wanted.items()}
        return {**{name: self.text for name in required if name not in made}, **made}

    def _string(self, schema: Mapping[str, Any]) -> str:
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        longest = schema.get("maxLength")
        return self.text.ljust(schema.get("minLength", 0), ".")[:longest]


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(next((k for k in kind if k != "null"), "null"))
    if kind is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)


def _number(schema: Mapping[str, Any], *, whole: bool) -> float | int:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf", 1 if whole else None)
    value: float = low if low is not None else min(1, high) if high is not None else 1
    if step:
        value = -(-value // step) * step
        if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
            value += step
        if high is not None and (value > high or ("exclusiveMaximum" in schema and value >= high)):
            value = high // step * step - (step if "exclusiveMaximum" in schema and high % step == 0 else 0)
        return int(value) if whole else value
    if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema:
        return (low + high) / 2 if low is not None and high is not None else value + (1 if low is not None else -1)
    return value


def _find(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found[step.replace("~1", "/").replace("~0", "~")]
    return found if isinstance(found, Mapping) else {}
