"""Estimates: what jobs would take and cost, without submitting any."""

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from holdfast.api.auth.request_context import RequestContext, Submitting
from holdfast.api.native.answers import JobsEstimate
from holdfast.api.native.job_requests import ESTIMATE_BODY
from holdfast.api.native.jobs import Body
from holdfast.api.native.submission import read_order
from holdfast.api.openapi import shown
from holdfast.client.errors import InvalidJobs, JobProblem
from holdfast.model import exact_json
from holdfast.model.receiver_address import split_url

router = APIRouter(tags=["jobs"])


@router.post("/jobs/estimate", openapi_extra=ESTIMATE_BODY, **shown(JobsEstimate))
async def estimate_jobs(context: Submitting, body: Body) -> Response:
    """Say what jobs would take and cost at most on each route of their plans, and submit none of them.

    It takes what ``POST /jobs`` takes. What cannot be a job of a list stands in ``problems``, and does not keep the
    others from being estimated.
    """
    view = await run_in_threadpool(estimate, context, body)
    return Response(exact_json.dumps(view), media_type="application/json")


def estimate(context: RequestContext, body: bytes) -> dict[str, object]:
    """Read a body and estimate its jobs. Raises InvalidRequest, InvalidJobs for a single one, NotFound, NoUsableKey."""
    request, one = read_order(body, None)
    if request.batch is not None:
        context.backend.batch(request.batch)
    if request.webhook is not None:
        split_url(request.webhook)
    view = context.backend.estimate(request.items, request.defaults)
    if one and view["problems"]:
        raise InvalidJobs(tuple(JobProblem(**problem) for problem in view["problems"]))
    return view
