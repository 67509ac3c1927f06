"""What the native API takes and answers of webhooks and alerts, as its document shows it: see `answers`."""

from typing import Annotated, Literal

from pydantic import Field

from holdfast.api.native.answers import AnswerModel
from holdfast.api.native.job_requests import RequestModel, WebhookUrl, Words
from holdfast.model.webhook import DeliveryState
from holdfast.policy.webhook_event import KINDS

LONGEST_OVERLAP = 90 * 86_400  # seconds


class NewWebhook(RequestModel):
    """A receiver of all of a tenant's events, or of those named. ``tenant``: for keys of all tenants alone."""

    url: WebhookUrl
    events: list[Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]] = Field(
        default_factory=list, max_length=50
    )
    tenant: Words | None = Field(default=None, min_length=1, max_length=200)


class NewSecret(RequestModel):
    """``overlap_seconds``: how long older secrets sign beside the new one. ``alerts``: of alerts to the operator."""

    overlap_seconds: float = Field(default=86_400, ge=0, le=LONGEST_OVERLAP, strict=True)
    tenant: Words | None = Field(default=None, min_length=1, max_length=200)
    alerts: bool = Field(default=False, strict=True)


class WebhookView(AnswerModel):
    """A receiver. ``events`` null: only those of jobs and batches that name it."""

    id: str
    tenant: str | None
    url: str
    events: list[str] | None
    state: Literal["good", "resting", "gone", "removed"]
    pending: int
    dead: int
    last_failure: str | None
    succeeded_at: str | None
    created_at: str | None
    resting_until: str | None


class WebhookList(AnswerModel):
    """Receivers."""

    webhooks: list[WebhookView]


class SecretView(AnswerModel):
    """A signing secret, which is shown this once. ``older_sign_until``: when those before it stop signing."""

    tenant: str | None
    secret: str
    older_sign_until: str


class DeliveryView(AnswerModel):
    """An event on its way to a receiver. ``answer``: what the last attempt came to."""

    id: str
    webhook: str
    url: str
    event: str
    type: str
    state: DeliveryState
    attempts: int
    answer: str | None
    created_at: str
    next_at: str | None
    ended_at: str | None


class DeliveryPage(AnswerModel):
    """Deliveries, newest first. ``next``: the cursor of the next page."""

    deliveries: list[DeliveryView]
    next: str | None


class Redelivered(AnswerModel):
    """How many dead letters of a receiver are sent once more."""

    id: str
    redelivered: int


class AlertEntry(AnswerModel):
    """A trouble that people were told of. ``ended_at`` null: it lasts."""

    id: str
    kind: str
    about: str
    sentence: str
    since: str
    told_at: str | None
    ended_at: str | None


class AlertsPage(AnswerModel):
    """Alerts, newest first. ``next``: the cursor of the next page."""

    alerts: list[AlertEntry]
    next: str | None
