"""OpenAI Responses, inbound: a request body becomes the neutral request.

What has no neutral form is kept for routes of this format: keys as ``native``, whole items, parts and tools as
``Opaque``.
"""

from collections.abc import Mapping
from typing import Any

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
from holdfast.wire.fields import Fields, unexpected
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.reading import close_body, opaque, open_body, read_parts, split_tools
from holdfast.wire.returned_reasoning import unsealed

KEPT_THERE = ("previous_response_id", "conversation", "prompt")  # each says what is asked, without any input
NEEDED = frozenset({"item_reference", "compaction"})  # items that stand for what was said before


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    fields = open_body(body, where)
    text, reasoning = fields.inner("text"), fields.inner("reasoning")
    request: dict[str, Any] = {
        "turns": read_input(fields),
        "system": fields.text("instructions") or None,
        "max_tokens": fields.whole("max_output_tokens"),
        **split_tools(read_tool(tool) for tool in fields.each("tools")),
        "parallel_tools": fields.flag("parallel_tool_calls"),
        "output": read_output(text),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": reasoning.text("effort"),
        **openai.read_user(fields),
        "tool_choice": openai.read_choice(fields, None),
    }
    return close_body(request, WIRE, fields)


def read_input(fields: Fields) -> tuple[Turn, ...]:
    given = fields.peek("input")
    if isinstance(given, str) and given:
        fields.any("input")
        return (Turn(role=Role.USER, parts=(Text(text=given),)),)
    if not given and any(key in fields for key in KEPT_THERE):
        fields.any("input")
        return ()
    if not given or not isinstance(given, list):
        raise unexpected(fields.place("input"), "expected a text or an array of items", given)
    turns: list[Turn] = []
    for item in fields.each("input"):
        _add(turns, read_item(item))
    return tuple(turns)


def _add(turns: list[Turn], turn: Turn) -> None:
    """Put an item behind the others; items of one answer, or of one round of results, are one turn."""
    if turns and _belongs(turns[-1], turn):
        turns[-1] = turns[-1].model_copy(update={"parts": turns[-1].parts + turn.parts})
    else:
        turns.append(turn)


def _belongs(last: Turn, turn: Turn) -> bool:
    if last.role is not turn.role or last.native or turn.native:
        return False
    if turn.role is Role.USER:
        return all(isinstance(part, ToolResult) for part in last.parts + turn.parts)
    said = any(isinstance(part, Text) for part in turn.parts)
    return turn.role is Role.ASSISTANT and not (said and any(isinstance(part, Text | ToolUse) for part in last.parts))


def read_item(item: Fields) -> Turn:
    """Read one item as a turn of its own."""
    match item.text("type") or "message":
        case "message" if item.kind("role") in openai.ROLES:
            return read_message(item)
        case "function_call":
            return Turn(role=Role.ASSISTANT, parts=(read_call(item),))
        case "function_call_output":
            return Turn(role=Role.USER, parts=(read_result(item),))
        case "reasoning":
            return Turn(role=Role.ASSISTANT, parts=(unsealed(item.given, WIRE),))
        case kind:
            role = Role.USER if kind.endswith("_output") else Role.ASSISTANT
            needed = kind in NEEDED or not item.rest().keys() - {"id"}  # a bare id is a reference without a type
            return Turn(role=role, parts=(opaque(item, WIRE, needed=needed, as_turn=True),))


def read_message(item: Fields) -> Turn:
    role = openai.ROLES[item.need_text("role")]
    parts = read_parts(item, "content", role, read_part)
    return Turn(role=role, parts=parts, native=item.native(WIRE))


def read_part(part: Fields, role: Role) -> Part:
    match part.need_text("type"), role:
        case (("input_text" | "output_text" | "text"), _):
            return Text(text=part.need_text("text"), native=part.native(WIRE))
        case "refusal", Role.ASSISTANT:
            return Text(text=part.need_text("refusal"), native=part.native(WIRE))
        case "input_image", Role.USER:
            return read_image(part)
        case "input_file", Role.USER:
            return read_file(part)
        case "input_audio", _:
            return opaque(part, WIRE, needed=True)
    return opaque(part, WIRE)


def read_image(part: Fields) -> Image | Opaque:
    held = openai.read_source(part.text("image_url"))
    if not held or "file_id" in part:
        return opaque(part, WIRE, needed=True)
    return Image(**held, detail=part.text("detail"), native=part.native(WIRE))


def read_file(part: Fields) -> Document | Opaque:
    key = "file_url" if "file_url" in part else "file_data"
    held = openai.read_source(part.text(key))
    if not held or "file_id" in part or "file_data" in part:
        return opaque(part, WIRE, needed=True)
    return Document(**held, title=part.text("filename"), native=part.native(WIRE))


def read_call(item: Fields) -> ToolUse:
    return ToolUse(
        id=item.text("call_id") or "",
        name=item.need_text("name"),
        input=read_arguments(item.any("arguments")),
        native=item.native(WIRE),
    )


def read_result(item: Fields) -> ToolResult:
    parts = read_parts(item, "output", Role.USER, read_part)
    held = tuple(part for part in parts if isinstance(part, Text | Image | Document | Opaque))
    return ToolResult(id=item.text("call_id") or "", parts=held, native=item.native(WIRE))


def read_tool(tool: Fields) -> Tool | Opaque:
    return openai.read_function(tool, None, WIRE, strict=True)  # what this API takes a missing one for


def read_output(text: Fields) -> Output | None:
    form = text.inner("format")
    return openai.read_format(form, form)
