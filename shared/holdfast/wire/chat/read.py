"""OpenAI Chat Completions, inbound: a request body becomes the neutral request."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Document, Image, Output, Part, Request, Role, Text, Tool, ToolResult, ToolUse, Turn
from holdfast.wire import openai
from holdfast.wire.fields import Fields
from holdfast.wire.openai import CHAT as WIRE
from holdfast.wire.reading import close_body, inner, need_inner, open_body, read_parts

CARRIED = "Carried are text, image_url and file parts with data."
ROLES: Mapping[str, Role] = {**openai.ROLES, "tool": Role.USER}


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    fields = open_body(body, where)
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
    request["tool_choice"], own = openai.take_choice(fields, "function")
    return close_body(request, WIRE, fields.rest() | own, where)


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
    is_result = message.rest().get("role") == "tool"
    role = openai.read_role(message, ROLES)
    if is_result:
        return Turn(role=role, parts=(read_result(message),)), True
    for key in ("audio", "function_call"):
        if key in message:
            raise InvalidRequest(message.place(key), "is not carried.", "Use text and tool_calls.")
    parts = list(read_parts(message, "content", role, read_part))
    if role is Role.ASSISTANT:
        parts += [Text(text=refusal) for refusal in message.texts("refusal")]
        parts += [read_call(call) for call in message.each("tool_calls")]
    if not parts:
        raise InvalidRequest(message.place("content"), "is missing.")
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
        case kind, _:
            raise InvalidRequest(part.where, f"a {kind} part in a {role} turn is not carried.", CARRIED)


def read_image(part: Fields) -> Image:
    image = need_inner(part, "image_url")
    held = openai.read_source(image.need_text("url"), image.place("url"))
    return Image(**held, detail=image.text("detail"), native=part.native(WIRE))


def read_file(part: Fields) -> Document:
    file = need_inner(part, "file")
    if "file_id" in file:
        raise InvalidRequest(file.place("file_id"), "files at a provider cannot move.", "Send file_data.")
    held = openai.read_source(file.need_text("file_data"), file.place("file_data"))
    return Document(**held, title=file.text("filename"), native=part.native(WIRE))


def read_result(message: Fields) -> ToolResult:
    parts = read_parts(message, "content", Role.SYSTEM, read_part)  # text alone, as in a system turn
    return ToolResult(
        id=message.need_text("tool_call_id"),
        parts=tuple(part for part in parts if isinstance(part, Text)),
        native=message.native(WIRE),
    )


def read_call(call: Fields) -> ToolUse:
    if (kind := call.text("type") or "function") != "function":
        raise InvalidRequest(call.where, f"a {kind} tool call is not carried.", "Use function tools.")
    function = need_inner(call, "function")
    return ToolUse(
        id=call.need_text("id"),
        name=function.need_text("name"),
        input=openai.read_arguments(function.text("arguments") or "", function.place("arguments")),
        native=call.native(WIRE),
    )


def read_tool(tool: Fields) -> Tool:
    return openai.read_function(tool, "function")


def read_output(fields: Fields) -> Output | None:
    if "response_format" not in fields:
        return None
    form = inner(fields, "response_format")
    return openai.read_format(form, inner(form, "json_schema"))
