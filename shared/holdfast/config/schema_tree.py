"""Walk the configuration's JSON Schema by the path of a key: what documentation and errors know of the tables."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from holdfast.config.schema import ConfigFile
from holdfast.config.toml_positions import Path

Node: TypeAlias = Mapping[str, Any]
_ROOT: Node = ConfigFile.model_json_schema()


def node_at(path: Path) -> Node:
    """Return the schema of what stands at ``path``; empty where nothing is known of it.

    A table of tables (``providers``) and a list of tables are walked by any name or number.
    """
    here = _ROOT
    for part in path:
        by_name = next(iter(here.get("patternProperties", {}).values()), None)
        here = resolved(here.get("properties", {}).get(part) or by_name or here.get("items") or {})
    return here


def resolved(node: Node) -> Node:
    """Follow a reference, and past ``null``, to what a value has to be."""
    if "anyOf" in node:
        return resolved(next(option for option in node["anyOf"] if option != {"type": "null"}))
    if "$ref" in node:
        return resolved(_ROOT["$defs"][node["$ref"].rpartition("/")[2]])
    return node


def keys_of(path: Path) -> Mapping[str, Node]:
    """Map the keys of the table at ``path`` to their schemas, with default and description."""
    keys: Mapping[str, Node] = node_at(path).get("properties", {})
    return keys
