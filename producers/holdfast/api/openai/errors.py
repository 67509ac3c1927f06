"""Errors as OpenAI's API writes them, with the status by which its SDK chooses the class that it raises.

Source: OpenAI's API reference, "Error codes", and ``openai._exceptions``.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Scope

from holdfast.api.compatible.errors import detail_of, without_body
from holdfast.api.compatible.job_failure import BAD_REQUEST, BROKEN, CONFLICT, NO_REPEAT, UNPROCESSABLE
from holdfast.api.problems import HttpProblem

UNAUTHORIZED = 401
# Where OpenAI's API has another status than Holdfast's own, by code.
STATUSES: Mapping[str, int] = {"too_many_denials": UNAUTHORIZED, "no_usable_key": BROKEN}
CODES: Mapping[str, str] = {
    "unauthorized": "invalid_api_key", "too_many_denials": "invalid_api_key", "no_such_path": "unknown_url",
}  # fmt: skip
TYPES: Mapping[int, str] = {403: "permission_error", 429: "rate_limit_error"}
NO_CODE = frozenset({"not_found", "invalid_id", "invalid_request"})  # OpenAI's own is null


def write_error(_scope: Scope, problem: HttpProblem) -> Response:
    """Write an error as OpenAI's API would."""
    status = STATUSES.get(problem.code, BAD_REQUEST if problem.status == UNPROCESSABLE else problem.status)
    body = {"error": error_object(status, problem)}
    headers = NO_REPEAT if status == CONFLICT or problem.code == "no_usable_key" else {}
    return Response(orjson.dumps(body), status, dict(headers), "application/json")


def error_object(status: int, problem: HttpProblem) -> dict[str, Any]:
    """Return the error itself: message, type, param, code, and what more a provider of OpenAI's format says of it."""
    code = CODES.get(problem.code, problem.code)
    said = said_by_provider(problem)
    type_ = TYPES.get(status, "server_error" if status >= BROKEN else said.get("type") or "invalid_request_error")
    return {
        **said,
        "message": message_of(problem),
        "type": type_,
        "param": param_of(problem) or said.get("param"),
        "code": None if code in NO_CODE else code,
    }


def said_by_provider(problem: HttpProblem) -> Mapping[str, Any]:
    """Return the error object of the provider that ended a call, where it is one of OpenAI's format."""
    match problem.members.get("provider_error"):
        case {"type": "error"}:  # Anthropic's
            return {}
        case {"error": dict(error)}:
            return error
    return {}


def message_of(problem: HttpProblem) -> str:
    kind, name = problem.members.get("kind"), problem.members.get("name")
    if problem.code == "not_found" and kind and name:
        return f"No such {kind} object: {name}"
    return f"{detail_of(problem)} {problem.hint}" if problem.code == "no_such_path" else detail_of(problem)


def param_of(problem: HttpProblem) -> str | None:
    """Name the parameter that is wrong, as OpenAI's API does."""
    errors = problem.members.get("errors")
    where = errors[0]["where"] if errors else problem.members.get("where")
    if isinstance(where, str):
        return without_body(where)
    if problem.code == "model_not_found":
        return "model"
    return "id" if problem.code in {"not_found", "invalid_id"} else None
