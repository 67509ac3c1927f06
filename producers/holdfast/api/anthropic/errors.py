"""Errors as Anthropic's API writes them, so that ``except anthropic.NotFoundError`` works.

Source: its API reference, "Errors"; the classes of anthropic 2.14 by status (``_error_classes.py``).
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Scope

from holdfast.api.call_hints import name_calls
from holdfast.api.compatible.errors import detail_of
from holdfast.api.compatible.job_failure import BAD_REQUEST, BROKEN, CONFLICT, NO_REPEAT, UNPROCESSABLE
from holdfast.api.problems import HttpProblem
from holdfast.api.request_ids import request_id
from holdfast.client.batch_output import ANTHROPIC_ERRORS, anthropic_error

INVALID = "invalid_request_error"
# Statuses of our own API for which Anthropic's has another: it answers every request that is wrong with 400, and the
# SDK would repeat a 409.
STATUSES: Mapping[int, int] = {CONFLICT: BAD_REQUEST, UNPROCESSABLE: BAD_REQUEST}
BY_CODE: Mapping[str, int] = {"too_many_denials": 401, "no_usable_key": BROKEN}  # statuses that go by the code
TYPES: Mapping[int, str] = {
    **ANTHROPIC_ERRORS, 405: INVALID, 408: "timeout_error", 413: "request_too_large", 415: INVALID,
}  # fmt: skip


def write_error(scope: Scope, told: HttpProblem) -> Response:
    """Write an error of ours in Anthropic's shape."""
    status = BY_CODE.get(told.code, STATUSES.get(told.status, told.status))
    headers = dict(NO_REPEAT) if told.code in BY_CODE else {}
    return Response(orjson.dumps(error_body(scope, status, told)), status, headers, "application/json")


def error_body(scope: Scope, status: int, told: HttpProblem) -> dict[str, Any]:
    """Write the body of an error; in a stream that has begun it is all that there is of it."""
    detail, hint = detail_of(told), name_calls(told.hint)
    message = f"{detail} {hint}" if hint and hint not in detail else detail
    body = anthropic_error(type_of(status), message, request_id(scope))
    return body | {"error": {**said_by_provider(told), **body["error"]}}


def said_by_provider(told: HttpProblem) -> Mapping[str, Any]:
    """Return the error object of the provider that ended a call, where it is one of Anthropic's format.

    Its ``details`` choose the class that the SDK raises.
    """
    match told.members.get("provider_error"):
        case {"type": "error", "error": dict(error)}:
            return error
    return {}


def type_of(status: int) -> str:
    """Name the type of an error by its status.

    >>> type_of(404), type_of(418), type_of(503)
    ('not_found_error', 'invalid_request_error', 'api_error')
    """
    return TYPES.get(status, INVALID if status < BROKEN else "api_error")
