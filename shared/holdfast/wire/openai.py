"""What Chat Completions and Responses share when they are read: roles, tools, choices, shapes, sources."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.request import Opaque, Output, Role, Tool, ToolChoice
from holdfast.model.route import Api
from holdfast.wire import media
from holdfast.wire.fields import Fields
from holdfast.wire.reading import opaque

CHAT, RESPONSES = Api.OPENAI_CHAT.value, Api.OPENAI_RESPONSES.value
ROLES: Mapping[str, Role] = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,  # OpenAI reads one as the other, whichever its model knows
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
MODES = {"auto": "auto", "none": "none", "required": "any"}  # of a choice of tools: OpenAI's, ours


def read_user(fields: Fields) -> dict[str, str | None]:
    """The end user: ``safety_identifier``, or, where there is none, ``user``, its older name."""
    if "safety_identifier" in fields:
        return {"user": fields.text("safety_identifier")}
    user = fields.text("user")
    return {"user": user, "user_key": "user" if user else None}


def read_format(form: Fields, schema: Fields) -> Output | None:
    """Read the shape of the answer. ``schema`` holds name and schema: inside ``form`` in Chat, ``form`` itself else.

    None where none is asked for, or where only this format knows what is.
    """
    match form.peek("type"):
        case "text":
            form.any("type")
        case "json_object":
            form.any("type")
            return Output()
        case "json_schema" if isinstance(schema.peek("schema"), Mapping):
            form.any("type")
            return Output(
                name=schema.text("name") or "answer",
                json_schema=schema.need_object("schema"),
                strict=schema.flag("strict"),
                description=schema.text("description"),
            )
    return None


def read_choice(fields: Fields, name_in: str | None) -> ToolChoice | None:
    """Read ``tool_choice``; it stays where it is, and None is returned, where only this format knows what it says.

    Args:
        fields: Of the body.
        name_in: The key of the object that holds the name, or None where the name stands in the choice itself.
    """
    match fields.peek("tool_choice"), name_in:
        case str(mode), _ if mode in MODES:
            fields.any("tool_choice")
            return ToolChoice.model_validate({"mode": MODES[mode]})
        case ({"type": "function", "name": str()}, None) | ({"type": "function", "function": {"name": str()}}, str()):
            choice = fields.inner("tool_choice")
            choice.any("type")
            named = choice.inner(name_in) if name_in else choice
            return ToolChoice(mode="tool", name=named.need_text("name"))
    return None


def read_function(tool: Fields, name_in: str | None, wire: str, *, strict: bool | None = None) -> Tool | Opaque:
    """Read a tool. ``name_in``: the key of the object that describes it; ``strict``: what a missing one means."""
    if tool.need_text("type") != "function":
        return opaque(tool, wire)
    read = describe_function(tool.inner(name_in) if name_in else tool)
    native = tool.native(wire)
    return read.model_copy(update={"strict": strict if read.strict is None else read.strict, "native": native})


def describe_function(function: Fields) -> Tool:
    """Read what a tool's function is called, does and takes."""
    return Tool(
        name=function.need_text("name"),
        description=function.text("description"),
        parameters=function.object("parameters") or {},
        strict=function.flag("strict"),
    )


def read_source(url: str | None) -> dict[str, Any] | None:
    """The fields of an Image or a Document that stand for a URL; None for one that only some servers could follow."""
    if url is None:
        return None
    inline = media.split_data_url(url)
    if inline:
        return {"media_type": inline[0], "data": inline[1]}
    return {"url": url} if media.is_web(url) else None
