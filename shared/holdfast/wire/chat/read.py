"""OpenAI Chat Completions, inbound: a request body becomes the neutral request.

What has no neutral form is kept for routes of this format: keys as ``native``, whole messages, parts and tools as
``Opaque``.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import (
    Document,
    Image,
    Opaque,
    Output,
    Part,
    Request,
    Role,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.wire import openai
from holdfast.wire.arguments import read_arguments
from holdfast.wire.fields import Fields
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.reading import close_body, opaque, open_body, read_parts, split_tools

TOOL = "tool"  # the role of a tool's result


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    fields = open_body(body, where)
    system, turns = lift_system(read_turns(fields))
    if not turns and system is None:
        raise InvalidRequest(fields.place("messages"), "is missing or empty.")
    request: dict[str, Any] = {
        "turns": turns,
        "system": system,
        "max_tokens": _max_tokens(fields),
        **split_tools(read_tool(tool) for tool in fields.each("tools")),
        "parallel_tools": fields.flag("parallel_tool_calls"),
        "output": read_output(fields),
        "stop": fields.texts("stop"),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": fields.text("reasoning_effort"),
        **openai.read_user(fields),
        "tool_choice": openai.read_choice(fields, "function"),
    }
    return close_body(request, WIRE, fields)


def _max_tokens(fields: Fields) -> int | None:
    """The newer name's figure. Where the older one says another, that stays a field of this format."""
    newer = fields.whole("max_completion_tokens")
    if newer is None or fields.peek("max_tokens") == newer:
        return fields.whole("max_tokens") if newer is None else _drop(fields, "max_tokens", newer)
    return newer


def _drop(fields: Fields, key: str, value: int) -> int:
    fields.any(key)
    return value


def lift_system(turns: tuple[Turn, ...]) -> tuple[str | None, tuple[Turn, ...]]:
    """The first turn as the system prompt, where it is one and bare text; others keep their place."""
    match turns:
        case (Turn(role=Role.SYSTEM, parts=(Text() as said,)) as first, _, *_) if said.text:
            if not said.native and not first.native:
                return said.text, turns[1:]
    return None, turns


def read_turns(fields: Fields) -> tuple[Turn, ...]:
    """Read the messages. Neighbouring tool messages are one user turn of results."""
    turns: list[Turn] = []
    for message in fields.each("messages"):
        turn, is_result = read_turn(message)
        if is_result and turns and all(isinstance(part, ToolResult) for part in turns[-1].parts):
            turns[-1] = turns[-1].model_copy(update={"parts": turns[-1].parts + turn.parts})
        else:
            turns.append(turn)
    return tuple(turns)


def read_turn(message: Fields) -> tuple[Turn, bool]:
    """Read one message, and whether it is the result of a tool."""
    name = message.need_text("role")
    if name == TOOL:
        return Turn(role=Role.USER, parts=(read_result(message),)), True
    if name not in openai.ROLES:
        return Turn(role=Role.USER, parts=(opaque(message, WIRE, as_turn=True),)), False
    role = openai.ROLES[name]
    if role is not Role.ASSISTANT and "content" not in message:
        raise InvalidRequest(message.place("content"), "is missing.")
    parts = list(read_parts(message, "content", role, read_part))
    if role is Role.ASSISTANT:
        parts += [Text(text=refusal) for refusal in message.texts("refusal")]
        parts += [read_call(call) for call in message.each("tool_calls")]
    return Turn(role=role, parts=tuple(parts), native=message.native(WIRE)), False


def read_part(part: Fields, role: Role) -> Part:
    match part.need_text("type"), role:
        case "text", _:
            return Text(text=part.need_text("text"), native=part.native(WIRE))
        case "refusal", Role.ASSISTANT:
            return Text(text=part.need_text("refusal"), native=part.native(WIRE))
        case "image_url", Role.USER:
            return read_image(part)
        case "file", Role.USER:
            return read_file(part)
        case "input_audio", _:
            return opaque(part, WIRE, needed=True)
    return opaque(part, WIRE)


def read_image(part: Fields) -> Image | Opaque:
    if isinstance(part.peek("image_url"), str):  # vLLM and others take the bare URL too
        held = openai.read_source(part.any("image_url"))
        return Image(**held, native=part.native(WIRE)) if held else opaque(part, WIRE, needed=True)
    image = part.inner("image_url")
    held = openai.read_source(image.text("url"))
    if not held:
        return opaque(part, WIRE, needed=True)
    return Image(**held, detail=image.text("detail"), native=part.native(WIRE))


def read_file(part: Fields) -> Document | Opaque:
    file = part.inner("file")
    held = openai.read_source(file.text("file_data"))
    if not held or "file_id" in file:
        return opaque(part, WIRE, needed=True)
    return Document(**held, title=file.text("filename"), native=part.native(WIRE))


def read_result(message: Fields) -> ToolResult:
    parts = read_parts(message, "content", Role.USER, read_part)
    return ToolResult(
        id=message.need_text("tool_call_id"),
        parts=tuple(part for part in parts if isinstance(part, Text | Image | Document | Opaque)),
        native=message.native(WIRE),
    )


def read_call(call: Fields) -> ToolUse | Opaque:
    if (call.peek("type") or "function") != "function":
        return opaque(call, WIRE)
    call.any("type")
    function = call.inner("function")
    return ToolUse(
        id=call.text("id") or "",
        name=function.need_text("name"),
        input=read_arguments(function.any("arguments")),
        native=call.native(WIRE),
    )


def read_tool(tool: Fields) -> Tool | Opaque:
    return openai.read_function(tool, "function", WIRE)


def read_output(fields: Fields) -> Output | None:
    form = fields.inner("response_format")
    return openai.read_format(form, form.inner("json_schema"))
