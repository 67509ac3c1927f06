"""OpenAI Responses, inbound: a request body becomes the neutral request."""

from collections.abc import Mapping
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
    Thought,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.wire import openai
from holdfast.wire.fields import Fields, unexpected
from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.reading import close_body, inner, left_in, open_body, read_parts

CARRIED = "Carried are message, function_call, function_call_output and reasoning items."
PARTS = "Carried are input_text, output_text, input_image and input_file parts with data or a URL."


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    fields = open_body(body, where)
    openai.refuse_what_a_job_cannot_be(fields)
    text, reasoning = inner(fields, "text"), inner(fields, "reasoning")
    request: dict[str, Any] = {
        "turns": read_input(fields),
        "system": fields.text("instructions") or None,
        "max_tokens": fields.whole("max_output_tokens"),
        "tools": tuple(read_tool(tool) for tool in fields.each("tools")),
        "parallel_tools": fields.flag("parallel_tool_calls"),
        "output": read_output(text),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": reasoning.text("effort"),
        "user": openai.read_user(fields),
    }
    request["tool_choice"], own = openai.take_choice(fields, None)
    return close_body(request, WIRE, fields.rest() | left_in(text=text, reasoning=reasoning) | own, where)


def read_input(fields: Fields) -> tuple[Turn, ...]:
    given = fields.any("input")
    if isinstance(given, str) and given:
        return (Turn(role=Role.USER, parts=(Text(text=given),)),)
    if not given or not isinstance(given, list):
        raise unexpected(fields.place("input"), "expected a text or an array of items", given)
    turns: list[Turn] = []
    for item in Fields({"input": given}, fields.where).each("input"):
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
    whole = item.rest()
    match item.text("type") or "message":
        case "message":
            return read_message(item)
        case "function_call":
            return Turn(role=Role.ASSISTANT, parts=(read_call(item),))
        case "function_call_output":
            return Turn(role=Role.USER, parts=(read_result(item),))
        case "reasoning":
            return Turn(role=Role.ASSISTANT, parts=(Thought(dialect=WIRE, block=whole),))
        case kind:
            raise InvalidRequest(item.where, f"a {kind} item is not carried.", CARRIED)


def read_message(item: Fields) -> Turn:
    role = openai.read_role(item, openai.ROLES)
    parts = read_parts(item, "content", role, read_part)
    if not parts:
        raise InvalidRequest(item.place("content"), "is missing.")
    return Turn(role=role, parts=parts, native=_without_state(item))


def _without_state(item: Fields) -> dict[str, dict[str, Any]]:
    """Native fields, but not the id and status that the API put on an item of its own: they ask for nothing."""
    item.any("id")
    item.any("status")
    return item.native(WIRE)


def read_part(part: Fields, role: Role) -> Part:
    match part.need_text("type"), role:
        case "output_text", Role.ASSISTANT:
            for key in ("annotations", "logprobs"):  # about a text, not part of the question
                part.any(key)
            return Text(text=part.need_text("text"), native=part.native(WIRE))
        case (("input_text" | "output_text" | "text"), _):
            return Text(text=part.need_text("text"), native=part.native(WIRE))
        case "refusal", Role.ASSISTANT:
            return Text(text=part.need_text("refusal"), native=part.native(WIRE))
        case "input_image", Role.USER:
            return read_image(part)
        case "input_file", Role.USER:
            return read_file(part)
        case kind, _:
            raise InvalidRequest(part.where, f"a {kind} part in a {role} turn is not carried.", PARTS)


def _refuse_file_id(part: Fields) -> None:
    if "file_id" in part:
        raise InvalidRequest(part.place("file_id"), "files at a provider cannot move.", "Send the data or a URL.")


def read_image(part: Fields) -> Image:
    _refuse_file_id(part)
    held = openai.read_source(part.need_text("image_url"), part.place("image_url"))
    return Image(**held, detail=part.text("detail"), native=part.native(WIRE))


def read_file(part: Fields) -> Document:
    _refuse_file_id(part)
    key = "file_url" if "file_url" in part else "file_data"
    held = openai.read_source(part.need_text(key), part.place(key))
    return Document(**held, title=part.text("filename"), native=part.native(WIRE))


def read_call(item: Fields) -> ToolUse:
    return ToolUse(
        id=item.need_text("call_id"),
        name=item.need_text("name"),
        input=openai.read_arguments(item.text("arguments") or "", item.place("arguments")),
        native=_without_state(item),
    )


def read_result(item: Fields) -> ToolResult:
    parts = read_parts(item, "output", Role.USER, read_part)
    held = tuple(part for part in parts if isinstance(part, Text | Image | Document))
    return ToolResult(id=item.need_text("call_id"), parts=held, native=_without_state(item))


def read_tool(tool: Fields) -> Tool:
    return openai.read_function(tool, None, strict=True)  # what this API takes a missing one for


def read_output(text: Fields) -> Output | None:
    if "format" not in text:
        return None
    form = inner(text, "format")
    return openai.read_format(form, form)
