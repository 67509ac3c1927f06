"""What reading a request has in common in every format: the frame, inner objects, contents, and what nobody took."""

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.model.errors import InvalidRequest
from holdfast.model.json_bounds import is_deeper
from holdfast.model.request import Natives, Part, Request, Role, Text
from holdfast.wire.fields import Fields

DEEPEST = 100  # levels of a body; what is deeper, some part of the way could no longer write


def open_body(body: Mapping[str, Any], where: str) -> Fields:
    """Return the fields of a request body, without the model, which its job names. Raises InvalidRequest."""
    refuse_depth(body, where)
    fields = Fields(body, where)
    fields.any("model")
    if fields.flag("stream"):
        raise InvalidRequest(fields.place("stream"), "a queued job has no stream.", "Leave it out.")
    return fields


def inner(fields: Fields, key: str) -> Fields:
    """Return the fields of the object under ``key``; none where there is none."""
    return Fields(fields.object(key) or {}, fields.place(key))


def need_inner(fields: Fields, key: str) -> Fields:
    """Return the fields of the object that must stand under ``key``."""
    return Fields(fields.need_object(key), fields.place(key))


def read_parts(fields: Fields, key: str, role: Role, read: Callable[[Fields, Role], Part]) -> tuple[Part, ...]:
    """Read a content: a text, or an array of parts of the format, each with ``read``. Nothing is no parts."""
    content = fields.any(key)
    if isinstance(content, str):
        return (Text(text=content),)
    return tuple(read(part, role) for part in Fields({key: content}, fields.where).each(key))


def left_in(**objects: Fields) -> dict[str, Any]:
    """Return what nobody took of a request's inner objects, by their keys."""
    return {key: left.rest() for key, left in objects.items() if left.rest()}


def natives(wire: str, left: dict[str, Any]) -> Natives:
    """Return ``left`` as fields that only the format ``wire`` knows."""
    return {wire: left} if left else {}


def close_body(values: Mapping[str, Any], wire: str, left: dict[str, Any], where: str) -> Request:
    """Make the request of what was read, with ``left`` as its native fields. Raises InvalidRequest."""
    return checked(Request(**values, native=natives(wire, left)), where)


def refuse_depth(body: Any, where: str) -> None:
    """Raises InvalidRequest where ``body`` is nested more than ``DEEPEST`` levels."""
    if is_deeper(body, DEEPEST):
        raise InvalidRequest(where or "the request", f"is nested too deeply: {DEEPEST} levels are the most.")


def checked(request: Request, where: str = "") -> Request:
    """Return the request itself. Raises InvalidRequest where no provider could serve it."""
    prefix = f"{where}." if where else ""
    names = [tool.name for tool in request.tools]
    choice = request.tool_choice
    if len(set(names)) < len(names):
        raise InvalidRequest(f"{prefix}tools", "two tools have the same name.")
    if choice and choice.mode == "tool" and choice.name not in names:
        raise InvalidRequest(f"{prefix}tool_choice", "names a tool that tools does not hold.")
    if choice and choice.mode == "any" and not names:
        raise InvalidRequest(f"{prefix}tool_choice", "demands a tool call, but there are no tools.")
    if request.output is not None and request.output.json_schema is not None:
        from holdfast.wire.validate import schema_problem  # noqa: PLC0415  jsonschema_rs takes 0.1 s to load; few jobs need it

        if problem := schema_problem(request.output.json_schema):
            raise InvalidRequest(f"{prefix}the output's JSON Schema", problem)
    return request
