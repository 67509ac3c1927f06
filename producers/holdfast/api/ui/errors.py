"""Errors below ``/ui`` as pages, for a person at a browser; what a script asks for stays a problem document."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from holdfast.api.problems import HttpProblem, problem_document, title_of
from holdfast.api.request_ids import request_id
from holdfast.api.ui.forms import seen_by
from holdfast.api.ui.rendering import html


def write_error_page(scope: Scope, told: HttpProblem) -> Response:
    """Say what happened, why, and what to do next. The page has no forms: it does not know the session's token."""
    if Headers(scope=scope).get("accept", "").startswith("application/json"):
        return problem_document(scope, told)
    caller = scope.get("state", {}).get("caller")
    values = {"problem": told, "title": title_of(told.code), "request_id": request_id(scope), "token": ""}
    return html("error.html", {**values, **seen_by(caller)}, told.status)
