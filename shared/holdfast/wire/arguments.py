"""Arguments of tool calls: JSON objects that come as text, as an object, as text inside of text, or broken."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from holdfast.model import exact_json
from holdfast.model.json_bounds import is_deeper
from holdfast.model.request import ToolUse
from holdfast.wire.mapping_report import MappingReportBuilder

DEEPEST = 200  # levels that every part of the way can write
MOST_WRAPPINGS = 3  # how often arguments are looked for inside a text
UNWRAPPED = "the arguments were JSON inside of a text, and are unwrapped"


class BrokenArguments(ValueError):
    """Arguments that are no JSON object. The text says what is wrong with them, not what they say."""


@dataclass(frozen=True, slots=True)
class CallArguments:
    """Arguments as they were meant, and how they had to be mended. ``note`` is empty where they came as they should."""

    value: dict[str, Any]
    note: str = ""


def parse_arguments(given: Any, *, as_text: bool = True) -> CallArguments:
    r"""Read a call's arguments, which the format has as text or as an object. Nothing at all is the empty object.

    Raises: BrokenArguments.

    >>> parse_arguments('{"wei": 100000000000000000001}').value, parse_arguments(None).value
    ({'wei': 100000000000000000001}, {})
    >>> parse_arguments(r'"{\"a\": 1}"')
    CallArguments(value={'a': 1}, note='the arguments were JSON inside of a text, and are unwrapped')
    """
    value, wrappings = given, 0
    while isinstance(value, str) and wrappings < MOST_WRAPPINGS:
        value, wrappings = _parsed(value), wrappings + 1
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        raise BrokenArguments("arguments that are no JSON object")
    if is_deeper(value, DEEPEST):
        raise BrokenArguments(f"arguments that are nested more than {DEEPEST} levels deep")
    return CallArguments(dict(value), UNWRAPPED if wrappings > as_text else "")


def _parsed(text: str) -> Any:
    try:
        return exact_json.loads(text) if text.strip() else None
    except ValueError:
        raise BrokenArguments("arguments that are no JSON") from None


def read_arguments(given: Any) -> dict[str, Any] | str:
    """Read the arguments of a call in a history: the object, or the text as it is where it is none as it stands.

    >>> read_arguments('{"a": 100000000000000000001}'), read_arguments(""), read_arguments("{broken")
    ({'a': 100000000000000000001}, {}, '{broken')
    """
    with suppress(BrokenArguments):
        read = parse_arguments(given)
        if not read.note:
            return read.value
    return given if isinstance(given, str) else exact_json.dumps(given).decode()


def arguments_of(call: ToolUse, place: str, report: MappingReportBuilder) -> dict[str, Any] | str:
    """Return a call's arguments: those that were encoded twice as the object that they are, which is told."""
    if isinstance(call.input, str):
        with suppress(BrokenArguments):
            read = parse_arguments(call.input)
            if read.note:
                report.change(f"{place}.input", "unwrapped: it was encoded twice")
                return read.value
    return call.input


def write_arguments(value: Mapping[str, Any] | str) -> str:
    """Write arguments as the text that OpenAI's formats take; as they came where they are no JSON object."""
    return value if isinstance(value, str) else exact_json.dumps(value).decode()
