"""Batches: the newest, and one with its jobs by state."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.auth.request_context import Reading, Submitting
from holdfast.api.native.filters import Name
from holdfast.api.ui.forms import Page, go_to, page_router
from holdfast.client.backend import View
from holdfast.model.ids import inner_id
from holdfast.model.job import LIVE, State
from holdfast.model.records import JobFilter

BATCHES = "/ui/batches"
SHOWN = 50
EMPTY: View = {"jobs": [], "next": None}

router = page_router(BATCHES)


@router.get("")
async def list_batches(context: Reading, page: Page, cursor: Name | None = None) -> Response:
    """List batches, newest first."""
    found = await run_in_threadpool(context.backend.batches, SHOWN, cursor)
    return page.page("batches.html", context, found=found, live=sorted(LIVE))


@router.get("/{batch}")
async def show(
    batch: str, context: Reading, page: Page, state: State | None = None, cursor: Name | None = None
) -> Response:
    """Show a batch: how far it is, and its jobs, newest first."""
    view = await run_in_threadpool(context.backend.batch, batch)
    where = JobFilter(batch=inner_id("batch", view["id"]), states=frozenset({state}) if state else None)
    is_empty = state is not None and not view["counts"][state]  # by its tallies: to see it a whole batch would be read
    found = EMPTY if is_empty else await run_in_threadpool(context.backend.jobs, where, SHOWN, cursor)
    left = sum(view["counts"][each] for each in LIVE)
    values = {"batch": view, "found": found, "left": left, "states": list(State), "state": state}
    return page.page("batch.html", context, **values)


@router.post("/{batch}/cancel")
async def cancel(batch: str, context: Submitting) -> Response:
    """Cancel every job of a batch that has not ended."""
    view = await run_in_threadpool(context.backend.cancel_batch, batch)
    return go_to(f"{BATCHES}/{view['id']}")
