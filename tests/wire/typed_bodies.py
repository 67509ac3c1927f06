"""Request bodies made of the SDKs' own request types: every field and every arm of every union, at every depth.

Values are placeholders first; ``with_own_values`` gives each leaf one that stands nowhere else in its body, so that a
walk can find each of them again.
"""

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import count
from types import NoneType, UnionType
from typing import IO, Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from anthropic.types import message_create_params as messages
from anthropic.types.beta import message_create_params as beta_messages
from openai.types.chat import completion_create_params as completions
from openai.types.responses import response_create_params as responses
from typing_extensions import get_type_hints, is_typeddict

from holdfast.model.route import Api

TEXT, WHOLE, NUMBER = "%", 424_242, 0.424242  # placeholders
DEEPEST = 9  # levels of types; what is deeper is as small as it can be
LITERALS = 3  # of one Literal; more of its values say no more
TOOL = "look"
WRAPPED = (Required, NotRequired, Annotated)
SHAPED: Mapping[str, Any] = {  # keys whose texts have a shape
    "name": TOOL,
    "url": f"https://example.org/{TEXT}.png",
    "image_url": f"https://example.org/{TEXT}.png",
    "file_url": f"https://example.org/{TEXT}.pdf",
    "file_data": f"data:application/pdf;base64,{TEXT}",
    "data": TEXT,
    "arguments": f'{{"wei": {WHOLE}, "a": "{TEXT}"}}',
    "schema": {"type": "object", "properties": {"z": {"type": "string", "description": TEXT}, "a": {"type": "null"}}},
    "parameters": {"type": "object", "properties": {"z": {"type": "string", "description": TEXT}}},
    "input_schema": {"type": "object", "properties": {"z": {"type": "string", "description": TEXT}}},
}
ROOTS: Mapping[Api, tuple[Any, ...]] = {
    Api.ANTHROPIC: (
        messages.MessageCreateParamsNonStreaming,
        messages.MessageCreateParamsStreaming,
        beta_messages.MessageCreateParamsNonStreaming,
    ),
    Api.OPENAI_CHAT: (completions.CompletionCreateParamsNonStreaming, completions.CompletionCreateParamsStreaming),
    Api.OPENAI_RESPONSES: (responses.ResponseCreateParamsNonStreaming, responses.ResponseCreateParamsStreaming),
}
USER = {"role": "user", "content": TEXT}
BASES: Mapping[Api, Mapping[str, Any]] = {
    Api.ANTHROPIC: {"model": "m", "max_tokens": WHOLE, "messages": [USER]},
    Api.OPENAI_CHAT: {"model": "m", "messages": [USER]},
    Api.OPENAI_RESPONSES: {"model": "m", "input": [USER]},
}
TOOLS: Mapping[Api, Any] = {
    Api.ANTHROPIC: {"name": TOOL, "input_schema": SHAPED["input_schema"]},
    Api.OPENAI_CHAT: {"type": "function", "function": {"name": TOOL, "parameters": SHAPED["parameters"]}},
    Api.OPENAI_RESPONSES: {"type": "function", "name": TOOL, "parameters": SHAPED["parameters"], "strict": False},
}
NOT_IN_THE_BODY = frozenset({"user_profile_id", "workspace_id", "betas"})  # the SDK sends them as headers


def bodies(api: Api) -> Iterator[dict[str, Any]]:
    """Yield a body for every arm of every field of a format's requests."""
    for key, kind in fields_of(api):
        for value in examples(kind, key):
            yield with_own_values(body_with(api, key, value))
            if is_system(value):
                yield with_own_values(body_with(api, key, value, leads=True))


def fields_of(api: Api) -> list[tuple[str, Any]]:
    """The fields of a format's requests and their types, those of each kind of request."""
    hints = [hint for root in ROOTS[api] for hint in get_type_hints(root, include_extras=True).items()]
    return [(key, kind) for key, kind in hints if key not in {"model", *NOT_IN_THE_BODY}]


def is_system(value: Any) -> bool:
    return isinstance(value, list) and isinstance(value[0], dict) and value[0].get("role") in {"system", "developer"}


def body_with(api: Api, key: str, value: Any, *, leads: bool = False) -> dict[str, Any]:
    """A body in which ``key`` has ``value``. In a conversation a user speaks after it and, unless it leads, before."""
    if key in {"messages", "input"} and isinstance(value, list):
        value = [*value, USER] if leads else [USER, *value, USER]
    more = {"tools": [TOOLS[api]]} if key in {"tool_choice", "parallel_tool_calls"} else {}
    return {**BASES[api], **more, key: value}


@cache
def _examples(kind: Any, key: str, depth: int) -> tuple[Any, ...]:
    origin, arms = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        made: Iterable[Any] = _objects(kind, depth)
    elif origin in WRAPPED:
        made = _examples(arms[0], key, depth)
    elif origin in {Union, UnionType}:
        made = [value for arm in arms if arm is not NoneType for value in _examples(arm, key, depth)]
    elif origin is Literal:
        made = arms[:LITERALS]
    elif isinstance(origin, type) and issubclass(origin, os.PathLike | IO):
        made = ()  # a file, which the SDK reads before it sends anything
    elif arms and origin is not dict:  # an array, by any of its names
        made = [[value] for value in _examples(arms[0], key, depth)]
    else:
        made = [_plain(kind, key)]
    return tuple(made)


def examples(kind: Any, key: str, depth: int = 0) -> tuple[Any, ...]:
    """Return values of a type that together have every arm of it, and of all types inside."""
    return _examples(kind, key, depth)


def _plain(kind: Any, key: str) -> Any:
    if get_origin(kind) is dict:
        return SHAPED.get(key, {"z": TEXT, "a": TEXT})
    if kind in {object, Any}:
        return SHAPED.get(key, {"z": TEXT, "a": WHOLE})
    if kind is str:
        return SHAPED[key] if isinstance(SHAPED.get(key), str) else TEXT
    return {bool: True, int: WHOLE, float: NUMBER}.get(kind, TEXT)


def _objects(kind: Any, depth: int) -> Iterable[dict[str, Any]]:
    """A small object, a full one, and one more for every further arm of a field."""
    hints = get_type_hints(kind, include_extras=True)
    required = _required(kind, hints)
    if depth > DEEPEST:
        yield {key: _smallest(hints[key], key) for key in required}
        return
    arms = {key: _examples(hint, key, depth + 1) for key, hint in hints.items()}
    small = {key: arms[key][0] for key in hints if key in required}
    yield small
    yield {key: arms[key][0] for key in hints if arms[key]}
    for key, values in arms.items():
        for value in values[1:] if key in required else values:
            yield {**small, key: value}


def _required(kind: Any, hints: Mapping[str, Any]) -> set[str]:
    """The keys that must be there. The SDKs' modules put off their annotations, so the class does not know them."""
    marked = {key for key, hint in hints.items() if get_origin(hint) is Required}
    return marked | {key for key in hints if kind.__total__ and get_origin(hints[key]) is not NotRequired}


def _smallest(kind: Any, key: str) -> Any:
    origin, arms = get_origin(kind), get_args(kind)
    if origin in WRAPPED:
        return _smallest(arms[0], key)
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        return {each: _smallest(hints[each], each) for each in hints if each in _required(kind, hints)}
    if origin in {Union, UnionType}:
        plain = [arm for arm in arms if not is_typeddict(arm)]
        return _smallest((plain or list(arms))[0], key)
    if origin is Literal:
        return arms[0]
    return [] if arms and origin is not dict else _plain(kind, key)


def with_own_values(value: Any) -> Any:
    """Give every placeholder a value that stands nowhere else."""
    return _own(value, count(1), "")


def _own(value: Any, numbers: Iterator[int], key: str) -> Any:
    match value:
        case dict():
            return {each: _own(inner, numbers, each) for each, inner in value.items()}
        case list():
            return [_own(inner, numbers, key) for inner in value]
        case str():
            own = f"tok{next(numbers)}en"
            encoded = base64.b64encode(own.encode()).decode() if key in {"data", "file_data"} else own
            return value.replace(TEXT, encoded).replace(str(WHOLE), str(9 * 10**21 + next(numbers)))
        case int() if value == WHOLE and not isinstance(value, bool):
            return 7_000_000 + next(numbers)
        case float() if value == NUMBER:
            return round(0.5 + next(numbers) / 1_000_000, 6)
    return value
