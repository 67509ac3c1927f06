"""The page of the fleet: everything that an operator has to know, and what may be done about lanes and routes."""

from typing import Annotated

from fastapi import Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.auth.request_context import Fleet, RequestContext, Watching
from holdfast.api.ui.forms import Page, go_to, page_router, seen_by
from holdfast.api.ui.rendering import HEADERS

JOBS = "/ui/jobs"

router = page_router("/ui")


@router.get("")
async def overview(context: Watching, page: Page) -> Response:
    """Show everything at once. It needs no script; with one it stays current."""
    dashboard = context.app_state.dashboard
    await dashboard.look()
    parts = dashboard.page(may_act=bool(seen_by(context.caller)["may_act"]))
    return page.page("overview.html", context, parts=parts, look=dashboard.number)


@router.get("/live")
async def live(context: Watching, since: Annotated[int, Query(ge=-1)] = -1) -> Response:
    """Return the parts of the page that changed after a look."""
    dashboard = context.app_state.dashboard
    await dashboard.look()
    may_act = bool(seen_by(context.caller)["may_act"])
    return Response(dashboard.changes(since, may_act=may_act), media_type="application/json", headers=HEADERS)


@router.post("/lanes/{name:path}/pause")
async def pause(name: str, context: Fleet) -> Response:
    """Stop starting jobs of a lane."""
    await run_in_threadpool(context.backend.pause, name, paused=True)
    return back(context)


@router.post("/lanes/{name:path}/resume")
async def resume(name: str, context: Fleet) -> Response:
    """Start jobs of a lane again."""
    await run_in_threadpool(context.backend.pause, name, paused=False)
    return back(context)


@router.post("/routes/{name:path}/open")
async def force_open(name: str, context: Fleet) -> Response:
    """Let no call take a route."""
    await run_in_threadpool(context.backend.force, name, "open")
    return back(context)


@router.post("/routes/{name:path}/close")
async def force_closed(name: str, context: Fleet) -> Response:
    """Let every call take a route."""
    await run_in_threadpool(context.backend.force, name, "closed")
    return back(context)


@router.post("/routes/{name:path}/reset")
async def reset(name: str, context: Fleet) -> Response:
    """Let the breaker of a route decide again."""
    await run_in_threadpool(context.backend.reset, name)
    return back(context)


def back(context: RequestContext) -> Response:
    context.app_state.dashboard.expire()
    return go_to("/ui")
