"""Receivers that jobs name: checked before anything is accepted, so that nobody waits for an event that cannot come."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from holdfast.model.errors import InvalidRequest
from holdfast.model.receiver_address import read_receiver

if TYPE_CHECKING:
    from holdfast.client.installation import Installation


class NoSigningSecret(InvalidRequest):
    """What was asked is right, and is taken once the tenant has a signing secret."""

    code = "conflict"
    http_status = 409


def demand_receivers(installation: "Installation", tenant: str, urls: Iterable[str | None]) -> None:
    """Refuse URLs that no webhook may go to, and any while the tenant has no signing secret. Raises InvalidRequest."""
    named = dict.fromkeys(url for url in urls if url is not None)
    if not named:
        return
    for url in named:
        read_receiver(url, installation.settings.webhooks.allowed, "webhook")
    demand_secret(installation, tenant)


def demand_secret(installation: "Installation", tenant: str) -> None:
    """Refuse webhooks of a tenant who could not tell them from anybody else's. Raises NoSigningSecret."""
    from holdfast.store.webhook_endpoints import read_signing_secrets  # noqa: PLC0415 - most submits name no receiver

    if not installation.ready().read(read_signing_secrets, tenant):
        hint = "Make one: `holdfast webhook secret`, or POST /api/v1/webhooks/secret; the receiver checks with it."
        raise NoSigningSecret("webhook", f"tenant {tenant!r} has no signing secret yet.", hint)
