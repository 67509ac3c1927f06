"""What reading a request has in common in every format: the frame, contents, and what only one format knows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from holdfast.model.errors import InvalidRequest
from holdfast.model.json_bounds import is_deeper
from holdfast.model.request import Natives, Opaque, Part, Request, Role, Text, Tool, ToolResult
from holdfast.wire.fields import Fields, unexpected

DEEPEST = 100  # levels of a body; what is deeper, some part of the way could no longer write
LONGEST_TYPE = 60  # characters of a type that a place shows


def open_body(body: Mapping[str, Any], where: str) -> Fields:
    """Return the fields of a request body, without the model, which its job names. Raises InvalidRequest."""
    refuse_depth(body, where)
    fields = Fields(body, where)
    fields.any("model")
    return fields


def read_parts(fields: Fields, key: str, role: Role, read: Callable[[Fields, Role], Part]) -> tuple[Part, ...]:
    """Read a content: a text, or an array of texts and parts of the format, each with ``read``. Nothing is no parts."""
    content = fields.any(key)
    if isinstance(content, str):
        return (Text(text=content),)
    if content is not None and not isinstance(content, list):
        raise unexpected(fields.place(key), "expected a text or an array", content)
    return tuple(
        Text(text=part) if isinstance(part, str) else read(Fields(part, f"{fields.place(key)}[{index}]"), role)
        for index, part in enumerate(content or ())
    )


def opaque(block: Fields, wire: str, *, needed: bool = False, as_turn: bool = False) -> Opaque:
    """Keep a block as it was written: only the format ``wire`` knows what it says."""
    kind = block.given.get("type") or block.given.get("role")
    shown = f" (type {kind[:LONGEST_TYPE]})" if isinstance(kind, str) else ""
    return Opaque(wire=wire, block=block.given, where=block.where + shown, needed=needed, as_turn=as_turn)


def close_body(values: Mapping[str, Any], wire: str, fields: Fields, **own: Any) -> Request:
    """Make the request of what was read, with ``own`` and what is left as its native fields. Raises InvalidRequest."""
    request = Request(**values, native=natives(wire, fields.rest() | own))
    return checked(request.model_copy(update={"unread": tuple(unread(request))}), fields.where)


def unread(request: Request) -> Iterable[str]:
    """Yield the places of everything that only one format knows."""
    for turn in request.turns:
        for part in turn.parts:
            inner = part.parts if isinstance(part, ToolResult) else (part,)
            yield from (each.where for each in inner if isinstance(each, Opaque))
    yield from (tool.where for tool in request.provider_tools)


def natives(wire: str, left: dict[str, Any]) -> Natives:
    """Return ``left`` as fields that only the format ``wire`` knows."""
    return {wire: left} if left else {}


def split_tools(tools: Iterable[Tool | Opaque]) -> dict[str, tuple[Any, ...]]:
    """Return the functions and the other tools as the fields of a request that hold them."""
    read = tuple(tools)
    return {
        "tools": tuple(tool for tool in read if isinstance(tool, Tool)),
        "provider_tools": tuple(tool for tool in read if isinstance(tool, Opaque)),
    }


def refuse_depth(body: Any, where: str) -> None:
    """Raises InvalidRequest where ``body`` is nested more than ``DEEPEST`` levels."""
    if is_deeper(body, DEEPEST):
        raise InvalidRequest(where or "the request", f"is nested too deeply: {DEEPEST} levels are the most.")


def checked(request: Request, where: str = "") -> Request:
    """Return the request, each of its tools once. Raises InvalidRequest where no provider could serve it."""
    prefix = f"{where}." if where else ""
    names = {tool.name for tool in request.tools}
    choice = request.tool_choice
    if len(names) < len(request.tools):  # whether different tools may share a name, each provider says itself
        once = {tool.model_dump_json(): tool for tool in request.tools}
        request = request.model_copy(update={"tools": tuple(once.values())})
    if choice and not request.provider_tools and not any(request.native.values()):
        if choice.mode == "tool" and choice.name not in names:
            raise InvalidRequest(f"{prefix}tool_choice", "names a tool that tools does not hold.")
        if choice.mode == "any" and not names:
            raise InvalidRequest(f"{prefix}tool_choice", "demands a tool call, but there are no tools.")
    if request.output is not None and request.output.json_schema is not None:
        from holdfast.wire.json_schema import schema_problem  # noqa: PLC0415  jsonschema_rs takes 0.1 s to load; few jobs need it

        if problem := schema_problem(request.output.json_schema):
            raise InvalidRequest(f"{prefix}the output's JSON Schema", problem)
    return request
