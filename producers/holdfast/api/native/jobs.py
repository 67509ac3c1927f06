"""Jobs: submit, look, wait, list, cancel."""

import re
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from holdfast.api.auth.request_context import Reading, RequestContext, Submitting
from holdfast.api.native.filters import JobPage
from holdfast.api.native.links import accepted_view, batch_url, job_url
from holdfast.api.native.submission import SCHEMA, read_order
from holdfast.client.backend import Accepted
from holdfast.model import exact_json
from holdfast.model.job import LIVE, State

STATUS, REQUEST_ID = "x-holdfast-status", "x-holdfast-request-id"  # the provider's own
RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The body as it came.", "content": {"application/json": {}, "text/plain": {}}},
    404: {"description": "No provider has answered it."},
}
LONGEST_WAIT = 60.0  # seconds
WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})")

router = APIRouter(tags=["jobs"])


async def read_body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


@router.post("/jobs", status_code=202, openapi_extra=SCHEMA)
def submit(context: Submitting, body: Body, response: Response, key: Key = None) -> dict[str, Any]:
    """Accept one job, or a list of them as a batch. Once this answers 202 they are safe.

    A list is taken whole or not at all: 422 lists everything that is wrong with any of its jobs. The same
    Idempotency-Key finds the same jobs again.
    """
    request, one = read_order(body, key)
    accepted = context.backend.submit(request)
    context.app_state.installation.crash_point("before_response")
    jobs = views(context, accepted)
    if one:
        response.headers["location"] = jobs[0]["status_url"]
        return jobs[0]
    if accepted.batch or jobs:
        response.headers["location"] = batch_url(accepted.batch) if accepted.batch else jobs[0]["status_url"]
    return {"batch": accepted.batch, "status_url": response.headers.get("location"), "jobs": jobs}


def views(context: RequestContext, accepted: Accepted) -> list[dict[str, Any]]:
    """Show accepted jobs: new ones are queued, known ones are wherever they have come to."""
    known = context.backend.states([job.id for job in accepted.jobs if not job.created])
    return [accepted_view(job, known.get(job.id, State.QUEUED)) for job in accepted.jobs]


@router.get("/jobs")
def list_jobs(context: Reading, page: Annotated[JobPage, Query()]) -> dict[str, Any]:
    """List jobs, newest first."""
    where = page.choose(frozenset(page.state) if page.state else None)
    return context.backend.jobs(where, page.limit, page.cursor)


@router.get("/jobs/{job}")
async def show(
    job: str,
    context: Reading,
    prefer: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Show one job. With ``Prefer: wait=N`` the answer comes when it has ended, or after N (at most 60) seconds."""
    wait, view = wanted_wait(prefer), await run_in_threadpool(context.backend.job, job)
    if wait and view["state"] in LIVE:
        await context.ended(view["id"], wait)
        await context.reauthenticate()
        view = await run_in_threadpool(context.backend.job, job)
    return tagged(view, if_none_match, wait)


def wanted_wait(prefer: str | None) -> float:
    """Read the seconds that a Prefer header asks to wait.

    >>> wanted_wait("respond-async, wait=30"), wanted_wait("wait=600"), wanted_wait(None)
    (30.0, 60.0, 0.0)
    """
    found = WAIT.search(prefer or "")
    return min(LONGEST_WAIT, float(found[1])) if found else 0.0


def tagged(view: dict[str, Any], known: str | None, wait: float) -> Response:
    """Answer ``view`` with its ETag, or 304 where the caller has it already."""
    body = exact_json.dumps(view)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag} | ({"preference-applied": f"wait={wait:g}"} if wait else {})
    if known and tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


@router.get("/jobs/{job}/response", response_class=Response, responses=RESPONSE)
def response(job: str, context: Reading) -> Response:
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


@router.post("/jobs/{job}/cancel")
def cancel(job: str, context: Submitting) -> dict[str, Any]:
    """Cancel a job unless it has ended; its ``status`` says which."""
    view = context.backend.cancel(job)
    return view | {"status_url": job_url(view["id"])}
