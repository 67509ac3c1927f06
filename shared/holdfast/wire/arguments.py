"""Arguments of tool calls: JSON objects that OpenAI's formats carry as text, which may be broken or encoded twice."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from holdfast.model import exact_json
from holdfast.model.json_bounds import is_deeper
from holdfast.model.request import ToolUse
from holdfast.wire.mapping_report import MappingReportBuilder

DEEPEST = 200  # levels that every part of the way can write; what is deeper stays text


def read_arguments(given: Any) -> dict[str, Any] | str:
    """Read a call's arguments: an object, mostly as JSON in a text, or the text as it is where it holds none.

    >>> read_arguments('{"a": 100000000000000000001}'), read_arguments(""), read_arguments("{broken")
    ({'a': 100000000000000000001}, {}, '{broken')
    """
    if isinstance(given, Mapping):  # Ollama's own API; some clients copy it
        return dict(given)
    text = given if isinstance(given, str) else "" if given is None else exact_json.dumps(given).decode()
    try:
        value = exact_json.loads(text.encode() or b"{}")
    except ValueError:
        return text
    return value if isinstance(value, dict) and not is_deeper(value, DEEPEST) else text


def arguments_of(call: ToolUse, place: str, report: MappingReportBuilder) -> dict[str, Any] | str:
    """Return a call's arguments: those that were encoded twice as the object that they are, which is told."""
    if isinstance(call.input, dict):
        return call.input
    with suppress(ValueError):
        inner = exact_json.loads(call.input.encode())
        if isinstance(inner, str) and isinstance(given := read_arguments(inner), dict):
            report.change(f"{place}.input", "unwrapped: it was encoded twice")
            return given
    return call.input


def write_arguments(call: ToolUse, place: str, report: MappingReportBuilder) -> str:
    """Return a call's arguments as text, as they came where they are no JSON object."""
    given = arguments_of(call, place, report)
    return given if isinstance(given, str) else exact_json.dumps(given).decode()
