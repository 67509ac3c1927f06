"""Why a waiting call gets no answer: a job that ended without one, as an error of HTTP.

The caller is blamed for what the caller did: a request that every route calls wrong is a 4xx. Everything else is ours
or a provider's: a 5xx that says it is not to be repeated, for the queue has repeated it as often as it makes sense.
"""

from typing import Any

from holdfast.api.problems import HttpProblem
from holdfast.client.ended_job import EndedJob
from holdfast.client.plain_line import error_line
from holdfast.model import exact_json
from holdfast.model.errors import NotFound
from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.policy.fault_rules import FAULT_RULES, FaultAction, Scope

NO_REPEAT = {"x-should-retry": "false"}  # both SDKs obey it, whatever the status
BAD_REQUEST, NOT_FOUND, CONFLICT, TOO_LARGE, UNPROCESSABLE, BROKEN, TOO_LATE = 400, 404, 409, 413, 422, 500, 504
SAID_OF_REQUESTS = frozenset({BAD_REQUEST, NOT_FOUND, TOO_LARGE, UNPROCESSABLE})  # statuses that a provider's may keep


def job_failure(ended: EndedJob) -> HttpProblem:
    """Say why a job has no answer. ``members``: its fault, its id, and the error body of the provider that ended it."""
    told = error_line(ended.result) or {}
    code = str(told.get("code") or told.get("kind"))
    members = {"kind": told.get("kind"), "job": ended.id, "provider_error": provider_error(ended)}
    return HttpProblem(status_of(ended), code, str(told.get("message")), members=members, headers=NO_REPEAT)


def provider_error(ended: EndedJob) -> Any:
    """Parse the error that a provider answered with; None where it answered with none, or it is no JSON."""
    response = ended.response
    if response is None or response.status < BAD_REQUEST:
        return None
    try:
        return exact_json.loads(response.body)
    except ValueError:
        return None


def job_gone(error: NotFound) -> HttpProblem:
    """Say that a job is there no more: it was dropped, or its retention has passed."""
    members = {"kind": error.kind, "job": error.name}
    return HttpProblem(error.http_status, error.code, str(error), members=members, headers=NO_REPEAT)


def status_of(ended: EndedJob) -> int:
    """Return the HTTP status that a job's end has for whoever waits for it."""
    match ended.result.state:
        case State.CANCELLED:
            return CONFLICT
        case State.EXPIRED:
            return TOO_LATE
    fault = ended.result.fault
    if fault is FaultKind.MODEL_NOT_FOUND:
        return NOT_FOUND
    if fault is None or not is_callers(fault):
        return BROKEN
    said = ended.response.status if ended.response else BAD_REQUEST
    return said if said in SAID_OF_REQUESTS else BAD_REQUEST


def is_callers(fault: FaultKind) -> bool:
    """Tell whether a job died of its request itself: no route takes it, whoever sends it."""
    rule = FAULT_RULES[fault]
    return rule.scope is Scope.JOB and rule.action is FaultAction.EXCLUDE_ROUTE
