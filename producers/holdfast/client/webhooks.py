"""Receivers of webhooks, their secrets and deliveries, as tenants and operators see and change them.

They are no part of the port: the command line and the API speak to the storage, each for the tenants it may see.
"""

from collections.abc import Callable, Collection
from typing import Any, Concatenate, ParamSpec, TypeVar

from holdfast.client.backend import View
from holdfast.client.installation import Installation
from holdfast.client.webhook_receivers import demand_secret
from holdfast.model.errors import Forbidden, InvalidRequest, NotFound
from holdfast.model.ids import HEX_LENGTH, new_id
from holdfast.model.iso_time import iso
from holdfast.model.receiver_address import read_receiver
from holdfast.model.webhook import OPERATOR, DeliveryFilter, DeliveryState, WebhookDelivery, WebhookEndpoint
from holdfast.policy.webhook_event import KINDS, TEST_KIND, envelope, public_event_id
from holdfast.store import webhook_deliveries as deliveries
from holdfast.store import webhook_endpoints as endpoints
from holdfast.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")
ENDPOINT, DELIVERY = "wh_", "dlv_"  # what ids begin with outside
OVERLAP = 86_400.0  # seconds for which an old secret signs beside a new one, where nobody says otherwise
MOST_REDELIVERED = 10_000
ANY_DELIVERY = DeliveryFilter()


class Webhooks:
    """``tenant`` None: an operator, who sees the receivers of all. ``actor`` stands in the audit log."""

    def __init__(self, installation: Installation, tenant: str | None, actor: str) -> None:
        self._installation, self._tenant, self._actor = installation, tenant, actor

    def list(self) -> View:
        """List receivers with their health."""
        return {"webhooks": [endpoint_view(each) for each in self._read(endpoints.list_endpoints, self._tenant)]}

    def show(self, endpoint: str) -> View:
        """Show a receiver. Raises NotFound."""
        return endpoint_view(self._read(endpoints.find_endpoint, inner(ENDPOINT, endpoint), self._tenant))

    def add(self, url: str, kinds: Collection[str], tenant: str) -> View:
        """Send all of a tenant's events of these kinds, or of every kind, to a URL. Raises InvalidRequest."""
        read_receiver(url, self._installation.settings.webhooks.allowed, "url")
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise InvalidRequest("events", f"there is no event {unknown[0][:60]!r}.", f"Events: {', '.join(KINDS)}.")
        demand_secret(self._installation, tenant)
        made = self._write(endpoints.register_endpoint, tenant, url, kinds or KINDS, self._actor)
        return self.show(made)

    def remove(self, endpoint: str) -> View:
        """Forget a receiver and what waits for it. Raises NotFound."""
        gone = self._write(endpoints.remove_endpoint, inner(ENDPOINT, endpoint), self._tenant, self._actor)
        return endpoint_view(gone) | {"state": "removed"}

    def resume(self, endpoint: str) -> View:
        """Send again, at once, to a receiver that was gone or rests. Raises NotFound."""
        found = self._write(endpoints.resume_endpoint, inner(ENDPOINT, endpoint), self._tenant, self._actor)
        return endpoint_view(found)

    def test(self, endpoint: str) -> View:
        """Send an event that tells nothing, and show its delivery. Raises NotFound."""
        found = self._read(endpoints.find_endpoint, inner(ENDPOINT, endpoint), self._tenant)
        data = {"id": ENDPOINT + found.id}
        event = envelope(public_event_id(new_id()), TEST_KIND, self._installation.ready().now(), data)
        self._write(deliveries.write_deliveries, [(found.id, event)])
        view: View = self.deliveries(DeliveryFilter(endpoint=endpoint), limit=1)["deliveries"][0]
        return view

    def make_secret(self, tenant: str, overlap: float = OVERLAP) -> View:
        """Make a tenant's signing secret, or another one. It is shown this once."""
        value = self._write(endpoints.make_secret, tenant, overlap, self._actor)
        now = self._installation.ready().now()
        return {"tenant": tenant or None, "secret": value, "older_sign_until": iso(now + overlap)}

    def deliveries(self, where: DeliveryFilter = ANY_DELIVERY, *, cursor: str | None = None, limit: int = 100) -> View:
        """Return a page of deliveries, newest first. Raises NotFound; Forbidden: of another tenant."""
        if self._tenant is not None and where.tenant not in {None, self._tenant}:
            raise Forbidden(f"this key belongs to tenant {self._tenant!r}, and sees no other")
        found = self._read(
            deliveries.list_deliveries,
            tenant=self._tenant or where.tenant,
            state=where.state,
            endpoint=None if where.endpoint is None else inner(ENDPOINT, where.endpoint),
            created_after=where.created_after,
            created_before=where.created_before,
            before=None if cursor is None else inner(DELIVERY, cursor),
            limit=limit,
        )
        views = [delivery_view(each) for each in found]
        return {"deliveries": views, "next": views[-1]["id"] if len(views) == limit else None}

    def redeliver(self, delivery: str) -> View:
        """Send an event once more, under the id that it had. Raises NotFound."""
        found = self._write(deliveries.redeliver, inner(DELIVERY, delivery), self._tenant, self._actor)
        return delivery_view(found)

    def redeliver_dead(self, endpoint: str) -> View:
        """Send a receiver's dead letters once more. Raises NotFound."""
        found = self._read(endpoints.find_endpoint, inner(ENDPOINT, endpoint), self._tenant)
        again = self._write(deliveries.redeliver_dead, found.id, self._actor, MOST_REDELIVERED)
        return {"id": ENDPOINT + found.id, "redelivered": again}

    def _read(self, question: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._installation.ready().read(question, *args, **kwargs)

    def _write(self, change: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._installation.ready().write(change, *args, **kwargs)


def inner(prefix: str, text: str) -> str:
    """Read an id from the outside. Raises NotFound.

    >>> inner("wh_", "wh_" + "0" * 32) == inner("wh_", "0" * 32) == "0" * 32
    True
    """
    bare = text.removeprefix(prefix).lower()
    if len(bare) != HEX_LENGTH or any(c not in "0123456789abcdef" for c in bare):
        raise NotFound("webhook" if prefix == ENDPOINT else "delivery", text[:60])
    return bare


def endpoint_view(each: WebhookEndpoint) -> View:
    """Show a receiver."""
    return {
        "id": ENDPOINT + each.id,
        "tenant": None if each.tenant == OPERATOR else each.tenant,
        "url": each.url,
        "events": None if each.kinds is None else list(each.kinds),
        "state": state_of(each),
        "pending": each.pending,
        "dead": each.dead,
        "last_failure": each.answer,
        "succeeded_at": iso(each.succeeded_at),
        "created_at": iso(each.created_at),
        "resting_until": iso(each.resting_until) if each.failures else None,
    }


def state_of(each: WebhookEndpoint) -> str:
    """Say whether a receiver is there: ``gone`` gets nothing, ``resting`` is asked by one delivery at a time."""
    return "gone" if each.gone_at is not None else "resting" if each.failures else "good"


def delivery_view(each: WebhookDelivery) -> dict[str, Any]:
    """Show a delivery, without what it says."""
    return {
        "id": DELIVERY + each.id,
        "webhook": ENDPOINT + each.endpoint,
        "url": each.url,
        "event": each.event,
        "type": each.kind,
        "state": each.state.value,
        "attempts": each.attempts,
        "answer": each.answer,
        "created_at": iso(each.created_at),
        "next_at": iso(each.next_at) if each.state is DeliveryState.PENDING else None,
        "ended_at": iso(each.ended_at),
    }
