"""What must hold in every request, whatever format it came in."""

from typing import Any

from holdfast.model.errors import InvalidRequest
from holdfast.model.json_bounds import is_deeper
from holdfast.model.request import Request

DEEPEST = 100  # levels of a body; what is deeper, some part of the way could no longer write


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
