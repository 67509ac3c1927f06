"""Anthropic Messages, inbound: a request body becomes the neutral request."""

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
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from holdfast.model.route import Api
from holdfast.wire import media
from holdfast.wire.fields import Fields
from holdfast.wire.reading import close_body, inner, left_in, need_inner, open_body, read_parts

WIRE = Api.ANTHROPIC.value
CARRIED = "Carried are text, image, document, tool_use, tool_result and thinking blocks."
SERVER_SIDE = ("container", "mcp_servers")  # tools that run at the provider: no other route could do the same


def read_request(body: Mapping[str, Any], where: str = "") -> Request:
    """Read a request body. Raises InvalidRequest naming the place."""
    fields = open_body(body, where)
    for key in SERVER_SIDE:
        if key in fields:
            raise InvalidRequest(fields.place(key), "is run by the provider and is not carried.")
    config, metadata = inner(fields, "output_config"), inner(fields, "metadata")
    system, blocks = read_system(fields)
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
        "user": metadata.text("user_id"),
    }
    if turns[-1].role is Role.ASSISTANT:  # a begun answer, with which only this API's models go on
        request["written_in"] = WIRE
    left = fields.rest() | blocks | left_in(output_config=config, metadata=metadata)
    return close_body(request, WIRE, left, where)


def read_system(fields: Fields) -> tuple[str | None, dict[str, Any]]:
    """Read ``system``: its text, and its blocks as a native field where they say more than the text."""
    value = fields.rest().get("system")
    texts = [part for part in read_parts(fields, "system", Role.SYSTEM, read_block) if isinstance(part, Text)]
    text = "\n\n".join(part.text for part in texts)
    return text or None, {"system": value} if len(texts) > 1 or any(part.native for part in texts) else {}


def read_turn(turn: Fields) -> Turn:
    role = turn.need_text("role")
    if role not in set(Role):
        raise InvalidRequest(turn.place("role"), f"expected user, assistant or system, got {role[:40]!r}.")
    if "content" not in turn:
        raise InvalidRequest(turn.place("content"), "is missing.")
    parts = read_parts(turn, "content", Role(role), read_block)
    return Turn(role=Role(role), parts=parts, native=turn.native(WIRE))


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
    return Image(**_source(block, "Send base64 data or a url."), native=block.native(WIRE))


def read_document(block: Fields) -> Document:
    held = _source(block, "Send base64 data, text or a url.", text=True)
    return Document(**held, title=block.text("title"), native=block.native(WIRE))


def _source(block: Fields, carried: str, *, text: bool = False) -> dict[str, Any]:
    """Read where a picture or document is: in the block, or behind a URL. ``text``: it may be text as it stands."""
    source = need_inner(block, "source")
    match source.need_text("type"):
        case "base64":
            return {"media_type": source.need_text("media_type"), "data": source.need_text("data")}
        case "text" if text:
            data = media.encode_text(source.need_text("data"))
            return {"media_type": source.text("media_type") or "text/plain", "data": data}
        case "url":
            return {"url": source.need_text("url")}
        case kind:
            raise InvalidRequest(source.where, f"a source of type {kind} is not carried.", carried)


def read_result(block: Fields) -> ToolResult:
    parts = read_parts(block, "content", Role.USER, read_block)
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
    if "tool_choice" not in fields:
        return None, None
    choice = inner(fields, "tool_choice")
    mode, single = choice.need_text("type"), choice.flag("disable_parallel_tool_use")
    name = choice.need_text("name") if mode == "tool" else None
    if mode not in {"auto", "any", "none", "tool"} or choice.rest():
        raise InvalidRequest(choice.where, "expected a type of auto, any, tool or none.")
    return ToolChoice.model_validate({"mode": mode, "name": name}), None if single is None else not single


def read_output(config: Fields) -> Output | None:
    if "format" not in config:
        return None
    form = inner(config, "format")
    kind = form.need_text("type")
    if kind != "json_schema":
        raise InvalidRequest(form.place("type"), f"expected json_schema, got {kind[:40]!r}.")
    return Output(json_schema=form.need_object("schema"), name=form.text("name") or "answer")
