"""Webhooks: receivers, their secrets, and what is on its way to them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from holdfast.api.auth.request_context import Operating, Reading, RequestContext
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.filters import DeliveryPageQuery
from holdfast.api.native.webhook_answers import (
    DeliveryPage,
    DeliveryView,
    NewSecret,
    NewWebhook,
    Redelivered,
    SecretView,
    WebhookList,
    WebhookView,
)
from holdfast.api.openapi import shown
from holdfast.client.backend import View
from holdfast.client.list_filters import delivery_filter
from holdfast.client.webhooks import Webhooks
from holdfast.model.errors import Forbidden
from holdfast.model.job import DEFAULT_TENANT
from holdfast.model.webhook import OPERATOR

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


def webhooks(context: RequestContext) -> Webhooks:
    """Return what this caller may see and change."""
    return Webhooks(context.app_state.installation, context.tenant, context.caller.name)


def tenant_of(context: RequestContext, named: str | None) -> str:
    """Say whose receiver or secret is meant. Raises Forbidden: another tenant's."""
    if context.tenant is not None and named not in {None, context.tenant}:
        raise Forbidden("this concerns another tenant")
    return context.tenant or named or DEFAULT_TENANT


@router.get("", **shown(WebhookList, more=UNCHANGED))
def list_webhooks(context: Reading, if_none_match: IfNoneMatch = None) -> Response:
    """List receivers with their health."""
    return tagged_page(webhooks(context).list(), if_none_match)


@router.post("", status_code=201, **shown(WebhookView, 409, status=201))
def add_webhook(context: Operating, body: NewWebhook) -> View:
    """Send a tenant's events to a URL from now on: all, or those named."""
    return webhooks(context).add(body.url, body.events, tenant_of(context, body.tenant))


@router.post("/secret", status_code=201, **shown(SecretView, status=201))
def make_webhook_secret(context: Operating, body: NewSecret) -> View:
    """Make a signing secret, or a new one beside the old, which both sign while they overlap."""
    if body.alerts and context.tenant is not None:
        raise Forbidden("alerts concern all tenants")
    whose = OPERATOR if body.alerts else tenant_of(context, body.tenant)
    return webhooks(context).make_secret(whose, body.overlap_seconds)


@router.get("/deliveries", **shown(DeliveryPage, more=UNCHANGED))
def list_deliveries(
    context: Reading, page: Annotated[DeliveryPageQuery, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """List what is on its way, was taken, or was given up (``state=dead``), newest first."""
    where = delivery_filter(page.model_dump())
    return tagged_page(webhooks(context).deliveries(where, cursor=page.cursor, limit=page.limit), if_none_match)


@router.post("/deliveries/{delivery}/redeliver", **shown(DeliveryView))
def redeliver(delivery: str, context: Operating) -> View:
    """Send an event once more, under the ``webhook-id`` that it had."""
    return webhooks(context).redeliver(delivery)


@router.get("/{webhook}", **shown(WebhookView))
def show_webhook(webhook: str, context: Reading) -> View:
    """Show a receiver."""
    return webhooks(context).show(webhook)


@router.delete("/{webhook}", **shown(WebhookView))
def remove_webhook(webhook: str, context: Operating) -> View:
    """Forget a receiver with all that waits for it."""
    return webhooks(context).remove(webhook)


@router.post("/{webhook}/resume", **shown(WebhookView))
def resume_webhook(webhook: str, context: Operating) -> View:
    """Send again, at once, to a receiver that was gone or rests."""
    return webhooks(context).resume(webhook)


@router.post("/{webhook}/test", **shown(DeliveryView))
def test_webhook(webhook: str, context: Operating) -> View:
    """Send an event of type ``webhook.test``, and show its delivery."""
    return webhooks(context).test(webhook)


@router.post("/{webhook}/redeliver", **shown(Redelivered))
def redeliver_dead(webhook: str, context: Operating) -> View:
    """Send a receiver's dead letters once more."""
    return webhooks(context).redeliver_dead(webhook)
