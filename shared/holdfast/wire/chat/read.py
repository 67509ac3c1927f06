"""OpenAI Chat Completions, inbound: a request body becomes the neutral request."""

from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import (
    Document,
    Image,
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
from holdfast.wire.checks import checked, refuse_depth
from holdfast.wire.fields import Fields
from holdfast.wire.openai import CHAT as WIRE

CARRIED = "Carried are text, image_url and file parts with data."
ROLES: Mapping[str, Role] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,  # OpenAI reads one as the other, whichever its model knows
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.USER,
}


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    refuse_depth(body, where)
    fields = Fields(body, where)
    fields.any("model")
    openai.refuse_what_a_job_cannot_be(fields)
    system, turns = lift_system(read_turns(fields))
    if not turns:
        raise InvalidRequest(fields.place("messages"), "needs at least one turn that is not a system prompt.")
    request: dict[str, Any] = {
        "turns": turns,
        "system": system,
        "max_tokens": _max_tokens(fields),
        "tools": tuple(read_tool(tool) for tool in fields.each("tools")),
        "parallel_tools": fields.flag("parallel_tool_calls"),
        "output": read_output(fields),
        "stop": fields.texts("stop"),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": fields.text("reasoning_effort"),
        "user": openai.read_user(fields),
    }
    if "tool_choice" in fields:
        choice = fields.any("tool_choice")
        request["tool_choice"] = openai.read_choice(choice, fields.place("tool_choice"), "function")
        own = {} if request["tool_choice"] else {"tool_choice": choice}
        return checked(Request(**request, native=_native(fields.rest() | own)), where)
    return checked(Request(**request, native=_native(fields.rest())), where)


def _native(left: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {WIRE: left} if left else {}


def _max_tokens(fields: Fields) -> int | None:
    old, new = fields.whole("max_tokens"), fields.whole("max_completion_tokens")
    if old is not None and new is not None and old != new:
        raise InvalidRequest(fields.place("max_tokens"), "differs from max_completion_tokens.", "Leave one out.")
    return old if new is None else new


def lift_system(turns: tuple[Turn, ...]) -> tuple[str | None, tuple[Turn, ...]]:
    """The first turn as the system prompt, where it is one and bare text; others keep their place."""
    match turns:
        case (Turn(role=Role.SYSTEM, parts=(Text(text=text, native={}),), native={}), *rest) if text:
            return text, tuple(rest)
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
    role = ROLES.get(name)
    if role is None:
        raise InvalidRequest(message.place("role"), f"expected one of {', '.join(ROLES)}, got {name[:40]!r}.")
    if name == "tool":
        return Turn(role=role, parts=(read_result(message),)), True
    for key in ("audio", "function_call"):
        if key in message:
            raise InvalidRequest(message.place(key), "is not carried.", "Use text and tool_calls.")
    parts = [*_content(message, role)]
    if role is Role.ASSISTANT:
        parts += [Text(text=refusal) for refusal in message.texts("refusal")]
        parts += [read_call(call) for call in message.each("tool_calls")]
    if not parts:
        raise InvalidRequest(message.place("content"), "is missing.")
    return Turn(role=role, parts=tuple(parts), native=message.native(WIRE)), False


def _content(message: Fields, role: Role) -> Iterable[Part]:
    content = message.any("content")
    if content is None:
        return
    if isinstance(content, str):
        yield Text(text=content)
        return
    for part in Fields({"content": content}, message.where).each("content"):
        yield read_part(part, role)


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
        case kind, _:
            raise InvalidRequest(part.where, f"a {kind} part in a {role} turn is not carried.", CARRIED)


def read_image(part: Fields) -> Image:
    image = Fields(part.need_object("image_url"), part.place("image_url"))
    held = openai.read_source(image.need_text("url"), image.place("url"))
    return Image(**held, detail=image.text("detail"), native=part.native(WIRE))


def read_file(part: Fields) -> Document:
    file = Fields(part.need_object("file"), part.place("file"))
    if "file_id" in file:
        raise InvalidRequest(file.place("file_id"), "files at a provider cannot move.", "Send file_data.")
    held = openai.read_source(file.need_text("file_data"), file.place("file_data"))
    return Document(**held, title=file.text("filename"), native=part.native(WIRE))


def read_result(message: Fields) -> ToolResult:
    parts = tuple(_content(message, Role.SYSTEM))  # text alone, as in a system turn
    return ToolResult(
        id=message.need_text("tool_call_id"),
        parts=tuple(part for part in parts if isinstance(part, Text)),
        native=message.native(WIRE),
    )


def read_call(call: Fields) -> ToolUse:
    if (kind := call.text("type") or "function") != "function":
        raise InvalidRequest(call.where, f"a {kind} tool call is not carried.", "Use function tools.")
    function = Fields(call.need_object("function"), call.place("function"))
    return ToolUse(
        id=call.need_text("id"),
        name=function.need_text("name"),
        input=openai.read_arguments(function.text("arguments") or "", function.place("arguments")),
        native=call.native(WIRE),
    )


def read_tool(tool: Fields) -> Tool:
    if (kind := tool.need_text("type")) != "function":
        raise InvalidRequest(tool.where, f"a {kind} tool is not carried.", "Use function tools.")
    function = Fields(tool.need_object("function"), tool.place("function"))
    return Tool(
        name=function.need_text("name"),
        description=function.text("description"),
        parameters=function.object("parameters") or {"type": "object", "properties": {}},
        strict=function.flag("strict"),
        native=tool.native(WIRE),
    )


def read_output(fields: Fields) -> Output | None:
    value = fields.object("response_format")
    if value is None:
        return None
    form = Fields(value, fields.place("response_format"))
    return openai.read_format(form, Fields(form.object("json_schema") or {}, form.place("json_schema")))
