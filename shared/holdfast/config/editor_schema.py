"""The JSON Schema of holdfast.toml, for editors: names, kinds and meanings of all keys while one writes."""

from typing import Any

from holdfast.config.schema import ConfigFile

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def editor_schema() -> dict[str, Any]:
    """Return the schema of the whole file."""
    schema: dict[str, Any] = with_durations(ConfigFile.model_json_schema())
    return {"$schema": DRAFT, **schema, "title": "holdfast.toml"}


def with_durations(node: Any) -> Any:
    """Return a schema in which a duration is what this project writes, and not what ISO 8601 calls one.

    >>> with_durations({"type": "string", "format": "duration", "default": 120.0})["type"]
    ['string', 'number']
    """
    if isinstance(node, list):
        return [with_durations(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "duration":
        left = {key: value for key, value in node.items() if key not in {"format", "type"}}
        return left | {"type": ["string", "number"], "examples": ["500ms", "120s", "5m", "2h"]}
    return {key: with_durations(value) for key, value in node.items()}
