"""The arguments of a tool call, which providers send as text, as an object, or as text inside of text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.model import exact_json
from holdfast.model.json_bounds import is_deeper
from holdfast.wire.arguments import DEEPEST

UNWRAPPED = "the arguments were JSON inside of a text, and are unwrapped"
MOST_WRAPPINGS = 3  # how often arguments are looked for inside a text


class BrokenArguments(ValueError):
    """Arguments that are no JSON object. The text says what is wrong with them, not what they say."""


@dataclass(frozen=True, slots=True)
class CallArguments:
    """Arguments as they were meant, and how they had to be mended. ``note`` is empty where they came as they should."""

    value: dict[str, Any]
    note: str = ""


def read_arguments(given: Any, *, as_text: bool = True) -> CallArguments:
    r"""Read a call's arguments, which the format has as text or as an object. Nothing at all is the empty object.

    Raises: BrokenArguments.

    >>> read_arguments('{"wei": 100000000000000000001}').value, read_arguments(None).value
    ({'wei': 100000000000000000001}, {})
    >>> read_arguments(r'"{\"a\": 1}"')
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


def write_arguments(value: Mapping[str, Any] | str) -> str:
    """Write arguments as the text that OpenAI's formats take."""
    return value if isinstance(value, str) else exact_json.dumps(value).decode()
