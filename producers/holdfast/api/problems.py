"""Errors as RFC 9457 problem documents: what happened, to which object, why, and what to do next.

Paths that other APIs' clients call write them in the shape that those clients read: see ``compatible/client_api.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from holdfast.api.call_hints import name_calls
from holdfast.api.near_names import explain
from holdfast.api.page_paths import CLIENTS
from holdfast.api.request_ids import request_id
from holdfast.client.errors import InvalidJobs
from holdfast.client.operator import types_commands
from holdfast.model.errors import Conflict, EventsGone, HoldfastError, InvalidRequest, NotFound

MEDIA_TYPE = "application/problem+json"
UNAVAILABLE = 503
NO_PATH, WRONG_METHOD = 404, 405
CLIENT_GONE = 499  # as nginx calls it
RETRY_AFTER = "5"  # seconds
TITLES: Mapping[str, str] = {
    "invalid_request": "The request cannot be accepted",
    "invalid_id": "That is no id",
    "not_found": "There is no such thing here",
    "events_gone": "Those events are not kept any more",
    "conflict": "Not in this state",
    "storage_unavailable": "The database does not answer",
    "schema_behind": "The database is being upgraded",
    "partly_submitted": "The database went away in the middle",
    "queue_unavailable": "Redis does not answer",
    "no_server_yet": "No worker runs",
    "too_large": "The body is too large",
    "too_slow": "The body came too slowly",
    "compressed": "A compressed body is not read",
    "busy": "No room at the moment",
    "unauthorized": "Nobody knows you here",
    "forbidden": "Not for this caller",
    "too_many_denials": "Too many refusals",
    "internal": "Something broke on our side",
}
CODES: Mapping[int, str] = {
    400: "invalid_request",
    403: "forbidden",
    404: "no_such_path",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "compressed",
    503: "busy",
}
HINTS: Mapping[str, str] = {
    "storage_unavailable": "Send the same request again; an Idempotency-Key makes that safe.",
    "schema_behind": "Send the same request again when an operator has run `holdfast db upgrade`.",
    "partly_submitted": "Send the same request again with the same Idempotency-Key.",
    "no_such_path": "/docs lists every path.",
    "internal": "Give the request id to whoever runs this server: its log has the cause.",
}


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """An error before it is written. ``members`` are those of its own; ``headers`` go with it in every shape."""

    status: int
    code: str
    detail: str
    hint: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


ErrorWriter = Callable[[Scope, HttpProblem], Response]


def problem(
    scope: Scope, status: int, code: str, detail: str, *, hint: str = "", more: Mapping[str, Any] | None = None
) -> Response:
    """Answer with an error, in the shape that its path has. ``more`` are members of its own."""
    headers = {"retry-after": RETRY_AFTER} if status == UNAVAILABLE else {}
    return write_problem(scope, HttpProblem(status, code, detail, hint or HINTS.get(code, ""), more or {}, headers))


def write_problem(scope: Scope, told: HttpProblem) -> Response:
    """Write an error as the application's ``error_writer`` for this path does, else as a problem document."""
    choose = getattr(scope["app"].state, "error_writer", None) if "app" in scope else None
    write = (choose and choose(scope)) or problem_document
    answer: Response = write(scope, told)
    answer.headers.update(told.headers)
    return answer


def problem_document(scope: Scope, told: HttpProblem) -> Response:
    caller = scope.get("state", {}).get("caller")
    say = str if caller is not None and types_commands(caller.name) else name_calls
    body = {
        "type": f"urn:holdfast:problem:{told.code}",
        "title": title_of(told.code),
        "status": told.status,
        "detail": say(told.detail),
        "code": told.code,
        "hint": say(told.hint),
        "request_id": request_id(scope),
        **told.members,
    }
    return Response(orjson.dumps(body), told.status, media_type=MEDIA_TYPE)


def title_of(code: str) -> str:
    """Name a kind of error in a few words.

    >>> title_of("busy"), title_of("no_such_path")
    ('No room at the moment', 'No such path')
    """
    return TITLES.get(code, code.replace("_", " ").capitalize())


def of_error(scope: Scope, error: HoldfastError) -> Response:
    """Turn one of our own errors into its problem document."""
    hint = error.hint if isinstance(error, InvalidRequest | NotFound) else ""
    return problem(scope, error.http_status, error.code, str(error), hint=hint, more=members(error))


def of_http(scope: Scope, error: HTTPException) -> Response:
    """Turn an error of the framework, or one that is HTTP's alone, into its problem document."""
    answer = problem(scope, error.status_code, CODES.get(error.status_code, "http_error"), str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def members(error: HoldfastError) -> Mapping[str, Any]:
    """What a program needs to act on the error without reading its sentence."""
    match error:
        case InvalidJobs():
            return {"problems": [asdict(each) for each in error.problems]}
        case InvalidRequest():
            return {"where": error.where}
        case NotFound():
            return {"kind": error.kind, "name": error.name}
        case Conflict():
            return {"what": error.what, "why": error.why}
        case EventsGone():
            return {"after": error.after, "why": error.why}
        case _:
            return {}


def answer_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""

    @app.exception_handler(HoldfastError)
    async def ours(request: Request, error: HoldfastError) -> Response:
        return of_error(request.scope, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        problems = [{"where": where(each["loc"]), "problem": explain(request.scope, each)} for each in error.errors()]
        detail = "; ".join(f"{each['where']}: {each['problem']}" for each in problems)
        return problem(request.scope, 422, "invalid_request", detail, more={"errors": problems})

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == NO_PATH and error.detail == HTTPStatus.NOT_FOUND.phrase:
            return no_path(app, request.scope)
        if error.status_code == WRONG_METHOD:
            return wrong_method(app, request.scope)
        return of_http(request.scope, error)

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_GONE)  # which nobody reads

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return problem(request.scope, 500, "internal", f"an error of our own: {type(error).__name__}.")


def no_path(app: FastAPI, scope: Scope) -> Response:
    """Say that a path is not there, and what is, where the base URL of an SDK is likely to be wrong."""
    path, method, hint = str(scope["path"]), scope["method"], ""
    if path.startswith(f"{CLIENTS}{CLIENTS}/"):
        hint = "Set base_url without /v1 for Anthropic's SDK, and with one /v1 for OpenAI's."
    elif methods_at(app, f"{CLIENTS}{path}"):
        hint = "Let base_url end in /v1 for OpenAI's SDK."
        scope = {**scope, "path": f"{CLIENTS}{path}"}  # whose client it is is told in its shape
    return problem(scope, NO_PATH, "no_such_path", f"there is nothing at {method} {path[:80]}.", hint=hint)


def wrong_method(app: FastAPI, scope: Scope) -> Response:
    """Say which methods a path takes."""
    allowed = methods_at(app, scope["path"])
    detail = f"{scope['path'][:80]} takes {' and '.join(allowed)}, not {scope['method']}."
    answer = problem(scope, WRONG_METHOD, CODES[WRONG_METHOD], detail)
    answer.headers["allow"] = ", ".join(allowed)
    return answer


def methods_at(app: FastAPI, path: str) -> list[str]:
    """List the methods that a path takes: each has a route of its own, which knows of no other.

    What is called by its name is not meant by a name that stands for anything.
    """
    routes = [route for route in iter_route_contexts(app.routes) if route.methods and route.path]
    found = [route for route in routes if compile_path(route.path or "")[0].match(path)]
    named = [route for route in found if "{" not in str(route.path)] or found
    return sorted({method for route in named for method in route.methods or ()})


def where(place: Sequence[str | int]) -> str:
    """Name a place in a request as a person would.

    >>> where(("body", "jobs", 3, "model"))
    'body.jobs[3].model'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")
