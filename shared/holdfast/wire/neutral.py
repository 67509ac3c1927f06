"""Holdfast's own form of a request: one flat object that takes turns and tools of either provider's shape."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Opaque, Output, Request, Role, Text, Tool, ToolChoice, Turn
from holdfast.wire import anthropic, chat, openai
from holdfast.wire.anthropic import read as anthropic_read
from holdfast.wire.chat import read as chat_read
from holdfast.wire.fields import Fields, unexpected
from holdfast.wire.mapping_report import merged
from holdfast.wire.openai import describe_function, read_choice, read_format
from holdfast.wire.reading import checked, split_tools, unread

KEYS = (
    "messages", "prompt", "system", "max_tokens", "response_format", "tools", "tool_choice", "parallel_tool_calls",
    "stop", "temperature", "top_p", "effort", "user", "native",
)  # fmt: skip
ROLES = (*openai.ROLES, chat_read.TOOL, "function")  # the last is the tool of old bodies
VERSIONED = re.compile(r"_20\d{6}$")
ANTHROPIC_BLOCKS = frozenset({"image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"})


def read_plain(fields: Fields) -> Request:
    """Take a request out of ``fields``, which may hold more. Raises InvalidRequest."""
    system, turns = _turns(fields)
    request: dict[str, Any] = {
        "turns": turns,
        "system": system,
        "max_tokens": fields.whole("max_tokens"),
        **split_tools(_tool(tool) for tool in fields.each("tools")),
        "tool_choice": _choice(fields),
        "parallel_tools": fields.flag("parallel_tool_calls"),
        "output": _output(fields),
        "stop": fields.texts("stop"),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": fields.text("effort"),
        "user": fields.text("user"),
        "native": _native(fields),
    }
    read = Request(**request)
    return checked(read.model_copy(update={"unread": tuple(unread(read))}))


def read_neutral(value: Any, where: str) -> Request:
    """Read a request that was written by ``Request.model_dump``. Raises InvalidRequest naming the first place."""
    try:
        return checked(Request.model_validate(value), where)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join([where, *(str(step) for step in first["loc"])])
        raise InvalidRequest(place, f"{first['msg']}.") from None


def _turns(fields: Fields) -> tuple[str | None, tuple[Turn, ...]]:
    system = fields.text("system")
    _check_contents(fields)
    if ("prompt" in fields) == ("messages" in fields):
        raise InvalidRequest(fields.place("messages"), "expected either messages or prompt.")
    if "prompt" in fields:
        return system, (Turn(role=Role.USER, parts=(Text(text=fields.need_text("prompt")),)),)
    if _speaks_anthropic(fields):
        turns = tuple(anthropic_read.read_turn(turn) for turn in fields.each("messages"))
    else:
        turns = chat_read.read_turns(fields)
        _check_roles(turns)
    if system is None:
        system, turns = chat_read.lift_system(turns)
    if not turns:
        raise InvalidRequest(fields.place("messages"), "needs at least one turn that is not a system prompt.")
    return system, turns


def _check_contents(fields: Fields) -> None:
    """Raises InvalidRequest: a message is an array of nothing, which most providers refuse and others leave out."""
    messages = fields.peek("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict) and message.get("content") == [] and not message.get("tool_calls"):
            raise InvalidRequest(f"{fields.place('messages')}[{index}].content", "is an empty array.")


def _check_roles(turns: Iterable[Turn]) -> None:
    """Raises InvalidRequest: a slip in a role would keep its message from every provider but those of one format."""
    for part in (part for turn in turns for part in turn.parts if isinstance(part, Opaque) and part.as_turn):
        if part.block["role"] not in ROLES:
            raise InvalidRequest(f"{part.where.partition(' ')[0]}.role", f"expected one of {', '.join(ROLES)}.")


def _speaks_anthropic(fields: Fields) -> bool:
    return any(str(block.get("type")) in ANTHROPIC_BLOCKS for block in _blocks(fields.rest().get("messages")))


def _blocks(messages: Any) -> Iterable[dict[str, Any]]:
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        yield from (block for block in content if isinstance(block, dict)) if isinstance(content, list) else ()


def _tool(tool: Fields) -> Tool | Opaque:
    """A function in any provider's shape, or what Anthropic runs itself: its types end in the date of a version."""
    if "input_schema" in tool or VERSIONED.search(tool.kind()):
        return anthropic_read.read_tool(tool)
    if tool.peek("type") is not None and tool.kind() != "function":
        hint = "other tools of a provider's own are taken in its own form, as the body of a line of its batch files."
        raise InvalidRequest(tool.place("type"), f'expected "function"; {hint}')
    if "function" in tool:
        return chat_read.read_tool(tool)
    tool.any("type")
    read = describe_function(tool)
    for key in tool.rest():
        raise InvalidRequest(tool.place(key), "is not a field of a tool.")
    return read


def _choice(fields: Fields) -> ToolChoice | None:
    """``auto``, ``none``, ``required`` or ``any``, or an object in either provider's shape."""
    if "tool_choice" not in fields:
        return None
    choice = fields.inner("tool_choice")
    if fields.peek("tool_choice") == "any":
        fields.any("tool_choice")
        return ToolChoice(mode="any")
    if choice.kind() == "tool":
        choice.any("type")
        return ToolChoice(mode="tool", name=choice.need_text("name"))
    read = read_choice(fields, "function" if "function" in choice else None)
    if read is None:
        problem = "expected auto, none, required, or an object that names a tool."
        raise InvalidRequest(fields.place("tool_choice"), problem)
    return read


def _output(fields: Fields) -> Output | None:
    form = fields.inner("response_format")
    if "response_format" in fields:
        place, given = fields.place("response_format"), fields.peek("response_format")
        raise unexpected(place, "expected an object with a type such as json_schema", given)
    if not form.given:
        return None
    if not form.kind():
        raise unexpected(form.place("type"), "expected a text such as json_object or json_schema", form.peek("type"))
    named = form.inner("json_schema")
    _check_schema(form, named)
    return read_format(form, named if named.given else form)


def _check_schema(form: Fields, named: Fields) -> None:
    """Raises InvalidRequest: a schema is missing, or stands beside a type that has none."""
    if form.kind() != "json_schema":
        if form.peek("json_schema") is not None:
            raise InvalidRequest(form.place("json_schema"), f"is given, but the type is {form.kind()[:60]!r}.")
    elif not isinstance((named if named.given else form).peek("schema"), Mapping):
        raise InvalidRequest(form.place("json_schema"), "expected an object with a schema.")


def _native(fields: Fields) -> dict[str, dict[str, Any]]:
    """What only one format knows: given for it, or left of the objects that have the shape of Chat's."""
    native = fields.object("native") or {}
    for wire, own in native.items():
        if wire not in {anthropic.WIRE, chat.WIRE, "openai-responses"} or not isinstance(own, dict):
            problem = "expected an object under anthropic, openai-chat or openai-responses."
            raise InvalidRequest(fields.place(f"native.{wire}"), problem)
    rest = fields.rest()
    left: dict[str, Any] = {key: rest[key] for key in ("tool_choice", "response_format") if key in rest}
    return {**native, chat.WIRE: merged(left, native.get(chat.WIRE, {}))} if left else native
