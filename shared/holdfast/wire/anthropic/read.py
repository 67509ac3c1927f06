"""Anthropic Messages, inbound: a request body becomes the neutral request."""

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
    Thought,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.model.route import Api
from holdfast.wire import media
from holdfast.wire.checks import checked, refuse_depth
from holdfast.wire.fields import Fields

WIRE = Api.ANTHROPIC.value
CARRIED = "Carried are text, image, document, tool_use, tool_result and thinking blocks."
SERVER_SIDE = ("container", "mcp_servers")  # tools that run at the provider: no other route could do the same


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    refuse_depth(body, where)
    fields = Fields(body, where)
    fields.any("model")
    _refuse_what_a_job_cannot_be(fields)
    config, metadata = (
        Fields(fields.object("output_config") or {}, fields.place("output_config")),
        fields.object("metadata"),
    )
    user = Fields(metadata or {}, fields.place("metadata"))
    blocks = fields.any("system")
    system, system_native = read_system(blocks, fields.place("system"))
    turns = tuple(read_turn(turn) for turn in fields.each("messages"))
    if not turns:
        raise InvalidRequest(fields.place("messages"), "is missing or empty.")
    choice, parallel = read_choice(fields)
    request: dict[str, Any] = {
        "turns": turns,
        "system": system,
        "max_tokens": fields.whole("max_tokens"),
        "tools": tuple(read_tool(tool) for tool in fields.each("tools")),
        "tool_choice": choice,
        "parallel_tools": parallel,
        "output": read_output(config),
        "stop": fields.texts("stop_sequences"),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "effort": config.text("effort"),
        "user": user.text("user_id"),
    }
    if turns[-1].role is Role.ASSISTANT:  # a begun answer, with which only this API's models go on
        request["written_in"] = WIRE
    native = fields.rest() | system_native
    native |= {key: left.rest() for key, left in (("output_config", config), ("metadata", user)) if left.rest()}
    return checked(Request(**request, native={WIRE: native} if native else {}), where)


def _refuse_what_a_job_cannot_be(fields: Fields) -> None:
    if fields.flag("stream"):
        raise InvalidRequest(fields.place("stream"), "a queued job has no stream.", "Leave it out.")
    for key in SERVER_SIDE:
        if key in fields:
            raise InvalidRequest(fields.place(key), "is run by the provider and is not carried.")


def read_system(value: Any, where: str) -> tuple[str | None, dict[str, Any]]:
    """Read ``system``: its text, and its blocks as a native field where they say more than the text."""
    if value is None or isinstance(value, str):
        return value or None, {}
    parts = tuple(_content(value, where, Role.SYSTEM))
    text = "\n\n".join(part.text for part in parts if isinstance(part, Text))
    return text or None, {"system": value} if len(parts) > 1 or any(_native(part) for part in parts) else {}


def _native(part: Part) -> bool:
    return isinstance(part, Text) and bool(part.native)


def read_turn(turn: Fields) -> Turn:
    role = turn.need_text("role")
    if role not in set(Role):
        raise InvalidRequest(turn.place("role"), f"expected user, assistant or system, got {role[:40]!r}.")
    content = turn.any("content")
    if content is None:
        raise InvalidRequest(turn.place("content"), "is missing.")
    parts = tuple(_content(content, turn.place("content"), Role(role)))
    return Turn(role=Role(role), parts=parts, native=turn.native(WIRE))


def _content(content: Any, where: str, role: Role) -> Iterable[Part]:
    if isinstance(content, str):
        yield Text(text=content)
        return
    for block in Fields({"content": content}, where.removesuffix("content").rstrip(".")).each("content"):
        yield read_block(block, role)


def read_block(block: Fields, role: Role) -> Part:
    whole = block.rest()
    kind = block.need_text("type")
    match kind, role:
        case "text", _:
            return Text(text=block.need_text("text"), native=block.native(WIRE))
        case "image", Role.USER:
            return read_image(block)
        case "document", Role.USER:
            return read_document(block)
        case "tool_use", Role.ASSISTANT:
            return ToolUse(
                id=block.need_text("id"),
                name=block.need_text("name"),
                input=block.need_object("input"),
                native=block.native(WIRE),
            )
        case "tool_result", Role.USER:
            return read_result(block)
        case (("thinking" | "redacted_thinking"), Role.ASSISTANT):
            return Thought(dialect=WIRE, block=whole)
    raise InvalidRequest(block.where, f"a {kind} block in a {role} turn is not carried.", CARRIED)


def read_image(block: Fields) -> Image:
    held: dict[str, Any]
    source = Fields(block.need_object("source"), block.place("source"))
    match source.need_text("type"):
        case "base64":
            held = {"media_type": source.need_text("media_type"), "data": source.need_text("data")}
        case "url":
            held = {"url": source.need_text("url")}
        case kind:
            raise InvalidRequest(source.where, f"a source of type {kind} is not carried.", "Send base64 data or a url.")
    return Image(**held, native=block.native(WIRE))


def read_document(block: Fields) -> Document:
    held: dict[str, Any]
    source = Fields(block.need_object("source"), block.place("source"))
    match source.need_text("type"):
        case "base64":
            held = {"media_type": source.need_text("media_type"), "data": source.need_text("data")}
        case "text":
            text = media.encode_text(source.need_text("data"))
            held = {"media_type": source.text("media_type") or "text/plain", "data": text}
        case "url":
            held = {"url": source.need_text("url")}
        case kind:
            raise InvalidRequest(
                source.where, f"a source of type {kind} is not carried.", "Send base64 data, text or a url."
            )
    return Document(**held, title=block.text("title"), native=block.native(WIRE))


def read_result(block: Fields) -> ToolResult:
    content = block.any("content")
    parts = () if content is None else tuple(_content(content, block.place("content"), Role.USER))
    for index, part in enumerate(parts):
        if not isinstance(part, Text | Image | Document):
            raise InvalidRequest(f"{block.place('content')}[{index}]", f"a {part.type} block is not carried here.")
    return ToolResult.model_validate(
        {
            "id": block.need_text("tool_use_id"),
            "parts": parts,
            "is_error": block.flag("is_error") or False,
            "native": block.native(WIRE),
        }
    )


def read_tool(tool: Fields) -> Tool:
    kind = tool.text("type")
    if kind not in {None, "custom"}:
        raise InvalidRequest(tool.where, f"{kind} is run by the provider and is not carried.", "Send custom tools.")
    return Tool(
        name=tool.need_text("name"),
        description=tool.text("description"),
        parameters=tool.need_object("input_schema"),
        strict=tool.flag("strict"),
        native=tool.native(WIRE),
    )


def read_choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """Read ``tool_choice``, which also says whether tools may be called in parallel."""
    value = fields.object("tool_choice")
    if value is None:
        return None, None
    choice = Fields(value, fields.place("tool_choice"))
    mode, single = choice.need_text("type"), choice.flag("disable_parallel_tool_use")
    name = choice.need_text("name") if mode == "tool" else None
    if mode not in {"auto", "any", "none", "tool"} or choice.rest():
        raise InvalidRequest(choice.where, "expected a type of auto, any, tool or none.")
    return ToolChoice.model_validate({"mode": mode, "name": name}), None if single is None else not single


def read_output(config: Fields) -> Output | None:
    value = config.object("format")
    if value is None:
        return None
    form = Fields(value, config.place("format"))
    kind = form.need_text("type")
    if kind != "json_schema":
        raise InvalidRequest(form.place("type"), f"expected json_schema, got {kind[:40]!r}.")
    return Output(json_schema=form.need_object("schema"), name=form.text("name") or "answer")
