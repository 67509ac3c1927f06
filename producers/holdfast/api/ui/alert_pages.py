"""Alerts: troubles that last, and those that people were told of in a month."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.auth.request_context import Watching
from holdfast.api.ui.forms import Page, page_router
from holdfast.client.alerts import alert_lines
from holdfast.store.alerts import KEPT, recent_alerts

router = page_router("/ui/alerts")


@router.get("")
async def show(context: Watching, page: Page) -> Response:
    """List every alert that is kept, those that last first."""
    dashboard, store = context.app_state.dashboard, context.app_state.installation.ready()
    await dashboard.look()
    kept = await run_in_threadpool(store.read, recent_alerts, KEPT)
    lines = alert_lines(dashboard.conditions, kept)
    return page.page("alerts.html", context, alerts=lines, at=store.now(), told=context.settings.alerts.wanted)
