"""An independent reading of a request: each of its leaves is looked for in what was sent, and in what was told.

Nothing here knows the neutral form. A leaf is carried where its value stands in the body that was sent, told where a
note names its key, the key of an object around it, or its place; everything else is lost in silence.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.model.job import MappingReport

Path = tuple[str | int, ...]
OWN = re.compile(r"tok\d+en|9\d{21}|7\d{6}|0\.5\d{1,5}")  # values that stand nowhere else
# Words that formats have for the same thing: a key, or a key and its value, there.
SAME_KEY: Mapping[str, tuple[str, ...]] = {
    "effort": ("reasoning_effort",),
    "reasoning_effort": ("effort",),
    "verbosity": ("text",),
    "user": ("user_id", "user", "safety_identifier"),
}
TOLD_AS = {
    "stop_sequences": "stop",
    "reasoning_effort": "effort",
    "user_id": "user",
    "disable_parallel_tool_use": "parallel_tool_calls",
}  # by the report's own names
CONVERSATION = frozenset({"messages", "input", "content"})
SEALED = ("reasoning", "thinking", "redacted_thinking")
SAID_OTHERWISE = frozenset({"type", "role", "model"})  # what stands beside them says whether they were understood


def silent(body: Mapping[str, Any], sent: Mapping[str, Any], report: MappingReport) -> list[str]:
    """Name every leaf of ``body`` that was neither carried nor told."""
    text, there = json.dumps(sent, ensure_ascii=False), list(leaves(sent))
    told = [note.field for note in report.notes]
    told += sealed(body) if any(note.note.startswith("dropped: reasoning") for note in report.notes) else []
    return [
        f"{place_of(path)} = {value!r}"
        for path, value in leaves(body)
        if not carried(path, value, text, there) and not is_told(path, told)
    ]


def sealed(body: Any) -> list[str]:
    """The places of reasoning that its provider sealed: a note calls it by its place in the conversation alone."""
    return [place_of(path) for path in objects(body) if at(body, path).get("type") in SEALED]


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that is no object and no array, and every empty object; null and no items say nothing."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    elif value is not None and value != []:
        yield path, value


def carried(path: Path, value: Any, text: str, there: list[tuple[Path, Any]]) -> bool:
    key = key_of(path)
    if key in SAID_OTHERWISE:
        return True
    own = OWN.findall(decoded(value) if isinstance(value, str) else str(value))
    if own:
        return all(each in text for each in own) or encoded(str(value)) in text or encoded(own[0]) in text
    keys = {key, *SAME_KEY.get(key, ())}
    same = any(key_of(other) in keys and was == value and type(was) is type(value) for other, was in there)
    if same or value == {}:
        return same
    return (key == "media_type" and str(value) in text) or means_the_same(path, value, there)


def means_the_same(path: Path, value: Any, there: list[tuple[Path, Any]]) -> bool:
    """The few values that formats name differently."""
    key, sent = key_of(path), {key_of(other): was for other, was in there}
    same = {
        ("disable_parallel_tool_use", True): sent.get("parallel_tool_calls") is False,
        ("disable_parallel_tool_use", False): sent.get("parallel_tool_calls") is True,
        ("parallel_tool_calls", True): sent.get("disable_parallel_tool_use") is False,
        ("parallel_tool_calls", False): sent.get("disable_parallel_tool_use") is True,
        ("tool_choice", value): (("tool_choice", "type"), {"required": "any"}.get(value, value)) in there,
        ("strict", True): any(path[:2] == ("output_config", "format") for path, _ in there),  # Claude's always is
        ("logprobs", True): "message.output_text.logprobs" in [was for _, was in there],
        ("include", "message.output_text.logprobs"): sent.get("logprobs") is True,
        **dict.fromkeys(((key, False) for key in ("stream", "strict", "is_error", "background", "logprobs")), True),
    }
    return same.get((key, value), False)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """The text, and what it holds where it is base64, in or without a data URL."""
    try:
        return text + base64.b64decode(text.rpartition(",")[2], validate=True).decode()
    except ValueError:
        return text


def is_told(path: Path, told: list[str]) -> bool:
    place, keys = place_of(path), {step for step in path if isinstance(step, str)} - CONVERSATION
    keys |= {TOLD_AS[key] for key in keys & TOLD_AS.keys()}
    places = [field.partition(" (type")[0] for field in told]
    inside = any(place == where or place.startswith((f"{where}.", f"{where}[")) for where in places)
    return inside or any(last_key(where) in keys for where in places)


def last_key(where: str) -> str:
    return re.sub(r"\[[^]]*\]$", "", where.rpartition(".")[2])


def key_of(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def place_of(path: Path) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(steps).removeprefix(".")


def objects(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the place of every object, the body itself first."""
    if isinstance(value, Mapping):
        yield path
        for key, inner in value.items():
            yield from objects(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, (*path, index))


def with_key(value: Any, path: Path, key: str, added: Any) -> Any:
    """Return a body with one more key in the object at ``path``."""
    if not path:
        return {**value, key: added}
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [with_key(inner, rest, key, added) if index == step else inner for index, inner in enumerate(value)]
    return {each: with_key(inner, rest, key, added) if each == step else inner for each, inner in value.items()}
