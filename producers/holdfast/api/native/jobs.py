"""Jobs: submit, look, wait, list, cancel."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from holdfast.api.auth.request_context import DirectRoute, Reading, RequestContext, Submitting
from holdfast.api.native.answers import CancelledJob, JobsPage, JobView, SubmittedJob, SubmittedJobs
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged, tagged_page
from holdfast.api.native.filters import JobPage
from holdfast.api.native.job_requests import BODY
from holdfast.api.native.links import accepted_view, batch_url, job_url
from holdfast.api.native.preferences import Prefer, applied, wanted_wait
from holdfast.api.native.submission import read_order
from holdfast.api.openapi import Answers, refusals, shown
from holdfast.client.backend import View
from holdfast.client.list_filters import job_filter
from holdfast.client.submit_request import Accepted
from holdfast.model import exact_json
from holdfast.model.job import LIVE, State

STATUS, REQUEST_ID = "x-holdfast-status", "x-holdfast-request-id"  # the provider's own
RESPONSE: Answers = {
    200: {
        "description": "The body as it came.",
        "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {"type": "string"}}},
    },
}
SUBMITTED: Answers = {
    200: {"model": JobView, "description": "One job, which ended within the wait that Prefer asked for."},
    202: {"model": SubmittedJob | SubmittedJobs, "description": "The jobs are safe."},
    **refusals(409),
}

router = APIRouter(tags=["jobs"])


async def read_body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


async def submit_jobs(context: Submitting, body: Body, key: Key = None, prefer: Prefer = None) -> Response:
    """Accept one job, or a list of them as a batch. Once this answers 202 they are safe.

    A list is taken whole or not at all: 422 lists everything that is wrong with any of its jobs. The same
    Idempotency-Key finds the same jobs again. With ``Prefer: wait=N`` one job is waited for, N (at most 60) seconds:
    200 with the job when it has ended by then, else 202.
    """
    accepted = await run_in_threadpool(accept, context, body, key)
    wait = wanted_wait(prefer) if accepted.one else 0.0
    if wait and await context.ended(accepted.first, wait) is not None:
        await context.reauthenticate()
        view = await run_in_threadpool(context.backend.job, accepted.first)
        return answer_of(view, accepted.location, 200, wait)
    return answer_of(accepted.view, accepted.location, 202, wait)


router.add_api_route(
    "/jobs",
    submit_jobs,
    methods=["POST"],
    status_code=202,
    openapi_extra=BODY,
    response_model=None,
    responses=SUBMITTED,
    route_class_override=DirectRoute,
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a submit is answered with. ``location`` None: an empty list was accepted."""

    view: View
    one: bool
    location: str | None

    @property
    def first(self) -> str:
        """The id of the one job."""
        return str(self.view["id"])


def accept(context: RequestContext, body: bytes, key: str | None) -> Acceptance:
    """Submit what a body orders. Raises InvalidRequest, InvalidJobs, NoUsableKey, Conflict, StorageUnavailable."""
    request, one = read_order(body, key)
    accepted = context.backend.submit(request)
    context.app_state.installation.crash_point("before_response")
    jobs = views(context, accepted)
    if one:
        return Acceptance(jobs[0], one, jobs[0]["status_url"])
    where = batch_url(accepted.batch) if accepted.batch else jobs[0]["status_url"] if jobs else None
    return Acceptance({"batch": accepted.batch, "status_url": where, "jobs": jobs}, one, where)


def answer_of(view: View, location: str | None, status: int, wait: float) -> Response:
    """Write what became of a submit."""
    headers = ({"location": location} if location else {}) | applied(wait)
    return Response(exact_json.dumps(view), status, headers, "application/json")


def views(context: RequestContext, accepted: Accepted) -> list[View]:
    """Show accepted jobs: new ones are queued or scheduled, known ones are wherever they have come to."""
    known = context.backend.states([job.id for job in accepted.jobs if not job.created])
    return [
        accepted_view(job, known.get(job.id, State.DELAYED if job.scheduled else State.QUEUED)) for job in accepted.jobs
    ]


@router.get("/jobs", **shown(JobsPage, more=UNCHANGED))
def list_jobs(context: Reading, page: Annotated[JobPage, Query()], if_none_match: IfNoneMatch = None) -> Response:
    """List jobs, newest first."""
    found = context.backend.jobs(job_filter(page.model_dump()), page.limit, page.cursor)
    return tagged_page(found, if_none_match)


@router.get("/jobs/{job}", **shown(JobView, more=UNCHANGED))
async def show_job(
    job: str,
    context: Reading,
    prefer: Prefer = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Show one job. With ``Prefer: wait=N`` the answer comes when it has ended, or after N (at most 60) seconds."""
    wait, view = wanted_wait(prefer), await run_in_threadpool(context.backend.job, job)
    if wait and view["state"] in LIVE:
        await context.ended(view["id"], wait)
        await context.reauthenticate()
        view = await run_in_threadpool(context.backend.job, job)
    return tagged(view, if_none_match, applied(wait))


@router.get("/jobs/{job}/response", response_class=Response, responses=RESPONSE)
def show_response(job: str, context: Reading) -> Response:
    """Return the provider's answer byte for byte: of the call that ended the job, or of the last that brought one."""
    found = context.backend.response(job)
    headers = {STATUS: str(found.status), "x-content-type-options": "nosniff"}
    if found.request_id and found.request_id.isascii() and found.request_id.isprintable():
        headers[REQUEST_ID] = found.request_id
    return Response(found.body, headers=headers, media_type=media_type(found.body))


def media_type(body: bytes) -> str:
    """Say what a body is, by its first byte; a page of somebody else's is never shown as one of ours.

    >>> media_type(b'{"a": 1}'), media_type(b"<html>")
    ('application/json', 'text/plain; charset=utf-8')
    """
    return "application/json" if body.lstrip()[:1] in {b"{", b"["} else "text/plain; charset=utf-8"


@router.post("/jobs/{job}/cancel", **shown(CancelledJob))
def cancel_job(job: str, context: Submitting) -> View:
    """Cancel a job unless it has ended; its ``status`` says which."""
    view = context.backend.cancel(job)
    return view | {"status_url": job_url(view["id"])}
