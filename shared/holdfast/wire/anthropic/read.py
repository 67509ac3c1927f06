"""Anthropic Messages, inbound: a request body becomes the neutral request.

What has no neutral form is kept for routes of this format: keys as ``native``, whole blocks and tools as ``Opaque``.
"""

from collections.abc import Callable, Mapping
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
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.model.route import Api
from holdfast.wire import media
from holdfast.wire.fields import Fields
from holdfast.wire.reading import close_body, opaque, open_body, read_parts, split_tools
from holdfast.wire.returned_reasoning import unsealed

WIRE = Api.ANTHROPIC.value
MODES = frozenset({"auto", "any", "none", "tool"})


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    fields = open_body(body, where)
    config, metadata = fields.inner("output_config"), fields.inner("metadata")
    system, blocks = read_system(fields)
    turns = tuple(read_turn(turn) for turn in fields.each("messages"))
    if not turns:
        raise InvalidRequest(fields.place("messages"), "is missing or empty.")
    choice, parallel = read_choice(fields)
    request: dict[str, Any] = {
        "turns": turns,
        "system": system,
        "max_tokens": fields.whole("max_tokens", low=0),
        **split_tools(read_tool(tool) for tool in fields.each("tools")),
        "tool_choice": choice,
        "parallel_tools": parallel,
        "output": read_output(config),
        "stop": fields.texts("stop_sequences"),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": config.text("effort"),
        "user": metadata.text("user_id"),
    }
    if turns[-1].role is Role.ASSISTANT:  # a begun answer, with which only this API's models go on
        request["written_in"] = WIRE
    return close_body(request, WIRE, fields, **blocks)


def read_system(fields: Fields) -> tuple[str | None, dict[str, Any]]:
    """Read ``system``: its text, and its blocks as a native field where they say more than the text."""
    value = fields.peek("system")
    parts = read_parts(fields, "system", Role.SYSTEM, read_block)
    texts = [part for part in parts if isinstance(part, Text)]
    text = "\n\n".join(part.text for part in texts)
    says_more = len(parts) > 1 or any(not isinstance(part, Text) or part.native for part in parts)
    return text or None, {"system": value} if says_more else {}


def read_turn(turn: Fields) -> Turn:
    role = turn.need_text("role")
    if role not in set(Role):
        return Turn(role=Role.USER, parts=(opaque(turn, WIRE, as_turn=True),))
    if "content" not in turn and role != Role.SYSTEM:  # in the beta API that one may set options alone
        raise InvalidRequest(turn.place("content"), "is missing.")
    parts = read_parts(turn, "content", Role(role), read_block)
    return Turn(role=Role(role), parts=parts, native=turn.native(WIRE))


def read_block(block: Fields, role: Role) -> Part:
    match block.need_text("type"), role:
        case "text", _:
            return Text(text=block.need_text("text"), native=block.native(WIRE))
        case kind, Role.USER if kind in SHOWN:
            return SHOWN[kind](block)
        case "tool_use", Role.ASSISTANT:
            return read_call(block)
        case (("thinking" | "redacted_thinking"), Role.ASSISTANT):
            return unsealed(block.given, WIRE)
    return opaque(block, WIRE)


def read_call(block: Fields) -> ToolUse:
    return ToolUse(
        id=block.need_text("id"),
        name=block.need_text("name"),
        input=block.need_object("input"),
        native=block.native(WIRE),
    )


def read_image(block: Fields) -> Image | Opaque:
    source = block.inner("source")
    held: dict[str, Any]
    match source.text("type"):
        case "base64":
            held = {"media_type": source.need_text("media_type"), "data": source.need_text("data")}
        case "url":
            held = {"url": source.need_text("url")}
        case _:  # a file at the provider
            return opaque(block, WIRE, needed=True)
    return Image(**held, native=block.native(WIRE))


def read_document(block: Fields) -> Document | Opaque:
    source = block.inner("source")
    held: dict[str, Any]
    match source.text("type"):
        case "base64":
            held = {"media_type": source.need_text("media_type"), "data": source.need_text("data")}
        case "text":
            data = media.encode_text(source.need_text("data"))
            held = {"media_type": source.text("media_type") or "text/plain", "data": data}
        case "url":
            held = {"url": source.need_text("url")}
        case _:  # a file at the provider, or blocks inside of it
            return opaque(block, WIRE, needed=True)
    return Document(**held, title=block.text("title"), native=block.native(WIRE))


def read_result(block: Fields) -> ToolResult:
    parts = read_parts(block, "content", Role.USER, read_inside)
    return ToolResult.model_validate(
        {
            "id": block.need_text("tool_use_id"),
            "parts": parts,
            "is_error": block.flag("is_error") or False,
            "native": block.native(WIRE),
        }
    )


SHOWN: Mapping[str, Callable[[Fields], Part]] = {  # by a user
    "image": read_image,
    "document": read_document,
    "tool_result": read_result,
}


def read_inside(block: Fields, role: Role) -> Part:
    """Read a block of a tool's result."""
    inside = block.kind() in {"text", "image", "document"}
    return read_block(block, role) if inside else opaque(block, WIRE)


def read_tool(tool: Fields) -> Tool | Opaque:
    if tool.peek("type") is not None and tool.kind() != "custom":
        return opaque(tool, WIRE)
    tool.any("type")
    return Tool(
        name=tool.need_text("name"),
        description=tool.text("description"),
        parameters=tool.need_object("input_schema"),
        strict=tool.flag("strict"),
        native=tool.native(WIRE),
    )


def read_choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """Read ``tool_choice``, which also says whether tools may be called in parallel."""
    given = fields.peek("tool_choice")
    mode = Fields(given, "").kind() if isinstance(given, Mapping) else ""
    if mode not in MODES:
        return None, None
    choice = fields.inner("tool_choice")
    choice.any("type")
    single = choice.flag("disable_parallel_tool_use")
    name = choice.need_text("name") if mode == "tool" else None
    return ToolChoice.model_validate({"mode": mode, "name": name}), None if single is None else not single


def read_output(config: Fields) -> Output | None:
    form = config.inner("format")
    if form.peek("type") != "json_schema":
        return None
    form.any("type")
    return Output(json_schema=form.need_object("schema"), name=form.text("name") or "answer")
