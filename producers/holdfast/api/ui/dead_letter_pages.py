"""Dead letters: in groups by what they died of, and what is done about them, counted first."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.auth.request_context import Reading
from holdfast.api.ui.forms import Page, page_router
from holdfast.model.records import JobFilter

router = page_router("/ui/dead-letters")


@router.get("")
async def show(context: Reading, page: Page) -> Response:
    """Show every group."""
    found = await run_in_threadpool(context.backend.dead_groups, JobFilter())
    return page.page("dead_letters.html", context, groups=found["groups"])
