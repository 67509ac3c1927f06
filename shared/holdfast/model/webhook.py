"""Webhooks: receivers, and events on their way to them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from holdfast.model.ids import HEX_LENGTH

OPERATOR = ""  # in place of a tenant: whoever looks after the installation, who gets alerts
ALERT_COMMAND = "command:"  # in place of a URL: the command that the configuration names for alerts


class DeliveryState(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"  # it is tried until the receiver takes it
    DELIVERED = "delivered"  # the receiver answered 2xx
    DEAD = "dead"  # the receiver is gone, or took it at no attempt of days: a redelivery begins anew


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event as it is sent: ``body`` is JSON, the same bytes for every receiver and attempt."""

    id: str
    """What receivers know it by: ``webhook-id``."""
    kind: str
    """What happened, such as ``job.succeeded``."""
    body: str
    """What is sent."""


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A receiver as it stands. Times are seconds since the epoch on SQL's clock."""

    id: str
    """See ``endpoint_id``."""
    tenant: str
    """Whose events it gets; OPERATOR: alerts."""
    url: str
    """Where they are sent."""
    kinds: Collection[str] | None
    """The kinds of all of the tenant's events that it gets. None: only what names it."""
    created_at: float
    """When it was first named, or registered anew."""
    failures: int
    """Times in a row that it was found away."""
    resting_until: float
    """No delivery is tried before; set by each failure, cleared by a success."""
    succeeded_at: float | None
    """When it last took an event. None: never."""
    answer: str | None
    """What the last attempt that did not succeed came to. None: none did not."""
    gone_at: float | None
    """When it answered 410. None: it did not, or was resumed since."""
    pending: int = 0
    """Deliveries that wait for it, where they were counted."""
    dead: int = 0
    """Deliveries that were given up, where they were counted."""


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One event on its way to one receiver, as it stands. Times are seconds since the epoch on SQL's clock."""

    id: str
    """Names it in lists and for redelivery."""
    endpoint: str
    """The receiver's id."""
    url: str
    """Where it goes."""
    tenant: str
    """Whose it is."""
    event: str
    """The event's id, which is sent as ``webhook-id``."""
    kind: str
    """What happened."""
    state: DeliveryState
    """Moved by each settlement; ``pending`` again after a redelivery."""
    attempts: int
    """Attempts that were begun."""
    answer: str | None
    """What the last attempt came to. None: none has ended."""
    next_at: float
    """When it is tried next, while it is pending."""
    created_at: float
    """When it was written."""
    ended_at: float | None
    """When it was delivered or given up. None: it is pending."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Every field narrows; None leaves it open. Times are seconds since the epoch."""

    state: DeliveryState | None = None
    """As it stands."""
    endpoint: str | None = None
    """To one receiver."""
    tenant: str | None = None
    """Of one tenant."""
    created_after: float | None = None
    """Written at this time or later."""
    created_before: float | None = None
    """Written before this time."""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery whose next attempt this process makes, within the lease of its claim."""

    id: str
    """The delivery's."""
    endpoint: str
    """The receiver's id; attempts of one receiver are made together."""
    url: str
    """Where to send."""
    tenant: str
    """Whose secrets sign."""
    event: str
    """What to send as ``webhook-id``."""
    body: str = field(repr=False)
    """What to send."""
    attempt: int
    """The number of this attempt, from 1."""
    failures: int
    """Times in a row that the receiver was found away before."""


def endpoint_id(tenant: str, url: str) -> str:
    """Name a receiver: the same address of the same tenant is the same one.

    >>> endpoint_id("default", "https://example.com/hook")
    'fd22f14fd42a93e087a1db7596cd9bae'
    """
    return sha256(f"{tenant}\n{url}".encode()).hexdigest()[:HEX_LENGTH]
