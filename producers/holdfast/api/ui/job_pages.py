"""Jobs: found by their ids, by their producer's name or by tenant; and one job with all that happened to it."""

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.auth.request_context import Reading, RequestContext, Submitting
from holdfast.api.native.filters import Name
from holdfast.api.ui.forms import Page, PageSession, go_to, page_router
from holdfast.client.backend import View
from holdfast.client.reveal import Revealed, readable, reveal
from holdfast.model.errors import Forbidden, InvalidId
from holdfast.model.ids import Kind, inner_id
from holdfast.model.job import LIVE, State
from holdfast.model.records import JobFilter

JOBS = "/ui/jobs"
SHOWN = 50  # jobs on a page
LONGEST = 200_000  # characters of a prompt or an answer that a page shows

PLACES: Mapping[Kind, str] = {"job": JOBS, "batch": "/ui/batches"}

router = page_router(JOBS)


@router.get("")
async def find(
    context: Reading,
    page: Page,
    *,
    q: Name = "",
    state: State | None = None,
    model: Name = "",
    tenant: Name = "",
    cursor: Name | None = None,
) -> Response:
    """List jobs, newest first. What is searched for may be an id, a custom_id or a tenant."""
    sought = q.strip()
    if (place := place_of(sought)) is not None:
        return go_to(place)
    where = JobFilter(
        states=frozenset({state}) if state else None,
        model=model or None,
        tenant=tenant or None,
        custom_id=sought or None,
    )
    found = await run_in_threadpool(context.backend.jobs, where, SHOWN, cursor)
    if sought and not found["jobs"] and not tenant:
        found = await run_in_threadpool(of_tenant, context, sought)
    chosen = {"q": sought, "state": state.value if state else "", "model": model, "tenant": tenant}
    return page.page("jobs.html", context, found=found, chosen=chosen, states=list(State))


def place_of(sought: str) -> str | None:
    """Name the page of an id; None where the text is none."""
    for kind, path in PLACES.items():
        if sought.startswith(f"{kind}_"):
            try:
                inner_id(kind, sought)
            except InvalidId:
                return None
            return f"{path}/{sought}"
    return None


def of_tenant(context: RequestContext, tenant: str) -> View:
    """List the jobs of a tenant; none where this caller may not see them."""
    try:
        return context.backend.jobs(JobFilter(tenant=tenant), SHOWN)
    except Forbidden:
        return {"jobs": [], "next": None}


@router.get("/{job}")
async def show(job: str, context: Reading, page: Page) -> Response:
    """Show one job: every attempt, what was mapped, what it waits for or ended of. Its prompt stays hidden."""
    return await job_page(context, page, job)


@router.post("/{job}/reveal/{part}")
async def show_part(job: str, part: Revealed, context: Reading, page: Page) -> Response:
    """Show the prompt or the answer of a job too, and write down who looked at it."""
    installation, caller = context.app_state.installation, context.caller
    body = await run_in_threadpool(reveal, installation, job, part, context.tenant, caller.name)
    if part is Revealed.LINE:
        url = str(context.request.base_url).rstrip("/")
        return await job_page(context, page, job, {part.value: curl(url, body.decode(errors="replace"))})
    return await job_page(context, page, job, {part.value: readable(body)[:LONGEST]})


@router.post("/{job}/cancel")
async def cancel(job: str, context: Submitting) -> Response:
    """Cancel a job unless it has ended."""
    view = await run_in_threadpool(context.backend.cancel, job)
    return go_to(f"{JOBS}/{view['id']}")


async def job_page(context: RequestContext, page: PageSession, job: str, revealed: Mapping[str, str] = {}) -> Response:
    view = await run_in_threadpool(context.backend.job, job)
    return page.page("job.html", context, job=view, revealed=revealed, **facts_of(view))


def facts_of(view: View) -> dict[str, Any]:
    """Say what the page needs beyond a job's view; the reply itself is not passed on."""
    return {"ended": view["state"] not in LIVE, "answered": bool(view["reply"])}


def curl(url: str, line: str) -> str:
    r"""Write a call that submits a line anew, for a shell.

    >>> print(curl("http://h:1", '{"prompt":"it\'s"}'))
    curl http://h:1/api/v1/jobs \
      -H "Authorization: Bearer $HOLDFAST_API_KEY" \
      -H 'Content-Type: application/json' \
      --data-binary '{"prompt":"it'\''s"}'
    """
    quoted = line.replace("'", "'\\''")
    head = '-H "Authorization: Bearer $HOLDFAST_API_KEY"'
    return (
        f"curl {url}/api/v1/jobs \\\n  {head} \\\n  -H 'Content-Type: application/json' \\\n  --data-binary '{quoted}'"
    )
