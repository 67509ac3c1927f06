"""Webhooks: receivers with their health, what is on its way to them, and what nobody took."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.auth.request_context import Operating, Reading
from holdfast.api.native.filters import Name
from holdfast.api.native.webhooks import webhooks
from holdfast.api.ui.forms import Page, go_to, page_router
from holdfast.model.webhook import DeliveryFilter, DeliveryState

WEBHOOKS = "/ui/webhooks"
SHOWN = 50  # deliveries on a page

router = page_router(WEBHOOKS)


@router.get("")
async def show(
    context: Reading,
    page: Page,
    state: DeliveryState | None = None,
    webhook: Name | None = None,
    cursor: Name | None = None,
) -> Response:
    """List receivers, and deliveries to all or to one of them, newest first."""
    its = webhooks(context)
    receivers = await run_in_threadpool(its.list)
    where = DeliveryFilter(state=state, endpoint=webhook)
    found = await run_in_threadpool(its.deliveries, where, cursor=cursor, limit=SHOWN)
    asked = {"state": state.value if state else "", "webhook": webhook or ""}
    states = [each.value for each in DeliveryState]
    values = {"receivers": receivers["webhooks"], "found": found, "asked": asked, "states": states}
    return page.page("webhooks.html", context, **values)


@router.post("/deliveries/{delivery}/redeliver")
async def redeliver(delivery: str, context: Operating) -> Response:
    """Send an event once more, under the ``webhook-id`` that it had."""
    again = await run_in_threadpool(webhooks(context).redeliver, delivery)
    return deliveries_of(again["webhook"])


@router.post("/{webhook}/redeliver")
async def redeliver_dead(webhook: str, context: Operating) -> Response:
    """Send a receiver's dead deliveries once more."""
    await run_in_threadpool(webhooks(context).redeliver_dead, webhook)
    return deliveries_of(webhook)


@router.post("/{webhook}/resume")
async def resume(webhook: str, context: Operating) -> Response:
    """Send again, at once, to a receiver that was gone or rests."""
    await run_in_threadpool(webhooks(context).resume, webhook)
    return deliveries_of(webhook)


@router.post("/{webhook}/test")
async def send_test(webhook: str, context: Operating) -> Response:
    """Send an event that tells nothing."""
    await run_in_threadpool(webhooks(context).test, webhook)
    return deliveries_of(webhook)


def deliveries_of(webhook: str) -> Response:
    return go_to(f"{WEBHOOKS}?webhook={webhook}")
