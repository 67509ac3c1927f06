"""Webhooks: where they go, what they are signed with, and each event on its way to a receiver."""

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlmodel import Field, SQLModel

from holdfast.store.tables.partial import partial_index


class WebhookEndpointRow(SQLModel, table=True):
    """A receiver: one address of one tenant, with its health. All deliveries to it share that."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("webhook_endpoint_tenant", "tenant", "id"),)

    id: str = Field(primary_key=True, sa_type=String(32))
    """Made of tenant and address, so that the same address is the same receiver. Jobs and batches name it."""
    tenant: str
    """Whose events it gets; empty: alerts to the operator."""
    url: str
    """Where events are sent. Never changes."""
    kinds: str | None = None
    """JSON list of the kinds of events of the tenant that it gets, set and cleared when it is registered; null: only
    those of jobs and batches that name it.
    """
    created_at: int = Field(sa_type=BigInteger)
    """When it was first named, or registered anew. What happened before is not sent because of ``kinds``."""
    failures: int = 0
    """Times in a row that it was found away, counted once for each rest; 0 again with the next success."""
    resting_until: int = Field(default=0, sa_type=BigInteger)
    """No delivery is tried before this date; set when it is away, by its own wish or by the backoff."""
    succeeded_at: int | None = Field(default=None, sa_type=BigInteger)
    """When it last took an event; null: never."""
    answer: str | None = None
    """What the last attempt that did not succeed came to, for people; null: none did not."""
    gone_at: int | None = Field(default=None, sa_type=BigInteger)
    """When it answered 410: nothing more is sent. Null again once somebody resumes it."""


class WebhookSecretRow(SQLModel, table=True):
    """A secret with which a tenant's webhooks are signed. While two are good, both sign."""

    __tablename__ = "webhook_secret"
    __table_args__ = (Index("webhook_secret_tenant", "tenant", "created_at"),)

    id: str = Field(primary_key=True, sa_type=String(32))
    """Drawn when it is made; names it in the audit log."""
    tenant: str
    """Whose webhooks it signs; empty: alerts to the operator."""
    value: str
    """The secret itself, ``whsec_`` and base64: a signature cannot be made of a digest. Shown once, when it is made."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was made."""
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    """From when on it signs no more, set when a newer one is made; null: it is the newest."""


class WebhookDeliveryRow(SQLModel, table=True):
    """One event on its way to one receiver. Written in the transaction that reads the event, tried until it ends."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'delivered', 'dead')", name="webhook_delivery_state"),
        CheckConstraint("(state = 'pending') = (ended_at is null)", name="webhook_delivery_ended_has_a_date"),
        Index("webhook_delivery_event", "endpoint", "event", unique=True),
        Index("webhook_delivery_list", "tenant", "state", "id"),
        Index("webhook_delivery_endpoint", "endpoint", "state", "id"),
        partial_index("webhook_delivery_troubled", "state", "id", where="state <> 'delivered'"),
        partial_index("webhook_delivery_due", "endpoint", "next_at", where="state = 'pending'"),
        partial_index("webhook_delivery_old", "ended_at", where="ended_at is not null"),
    )

    id: str = Field(primary_key=True, sa_type=String(32))
    """Drawn when it is written; names it in lists and for redelivery."""
    endpoint: str = Field(sa_type=String(32))
    """Where it goes. A receiver that is removed takes its deliveries with it."""
    tenant: str
    """Whose it is, as of the endpoint."""
    event: str = Field(sa_type=String(64))
    """The event's id: ``webhook-id`` of every attempt, by which a receiver knows what it has had."""
    kind: str
    """What happened, such as ``job.succeeded``."""
    body: str
    """What is sent, the same bytes at every attempt. No prompt and no answer stands in it."""
    state: str
    """``pending`` until a receiver takes it (``delivered``) or nobody tries any more (``dead``); pending again after a
    redelivery.
    """
    attempts: int = 0
    """Attempts that were begun. An answer to an earlier one than the last moves nothing but a success."""
    next_at: int = Field(sa_type=BigInteger)
    """When it may be tried next. Moved on by the lease of an attempt, so that another process tries what a dead one
    had begun.
    """
    since: int = Field(sa_type=BigInteger)
    """When it was written, or asked for again: it is given up a while after this."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was written."""
    answer: str | None = None
    """What the last attempt came to, for people; null: none has ended."""
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    """When it was delivered or given up; null while it is pending. Retention counts from here."""
