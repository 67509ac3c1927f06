"""Events as receivers get them: the envelope of OpenAI's webhooks, in which `client.webhooks.unwrap()` finds its own.

``{"id", "object": "event", "type", "created_at", "data": {"id", …}}``, as ``openai.types.webhooks`` of openai 3.57 has
it, with its four types for batches. No prompt and no answer stands in one: whoever may see them fetches them. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.model.alert import AlertRecord
from holdfast.model.durations import lasting
from holdfast.model.event import Event, EventKind
from holdfast.model.ids import public_id
from holdfast.model.iso_time import iso
from holdfast.model.job import State
from holdfast.model.webhook import WebhookEvent

JOB_KINDS = tuple(kind.value for kind in EventKind if kind is not EventKind.BATCH_ENDED)
BATCH_KINDS = ("batch.completed", "batch.failed", "batch.expired", "batch.cancelled")
TEST_KIND = "webhook.test"
KINDS = (*JOB_KINDS, *BATCH_KINDS)  # that a receiver may be registered for


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What is told of a batch besides its event. ``failed``: none of its lines could become a job."""

    name: str = ""
    cancelled: bool = False
    failed: bool = False


def public_event_id(event: str) -> str:
    """Name an event for the outside: ``webhook-id``."""
    return f"evt_{event}"


def kind_of(event: Event, batch: BatchFacts) -> str:
    """Name what happened as receivers are told."""
    return event.kind.value if event.job else batch_kind(event.counts or {}, batch)


def write_event(event: Event, batch: BatchFacts) -> WebhookEvent:
    """Write what a receiver is sent of an event."""
    data = job_data(event) if event.job else batch_data(event, batch)
    return envelope(public_event_id(event.id), kind_of(event, batch), event.at, data)


def envelope(id_: str, kind: str, at: float, data: Mapping[str, Any]) -> WebhookEvent:
    """Write an event of any kind; the same event is the same bytes."""
    whole = {"id": id_, "object": "event", "type": kind, "created_at": int(at), "data": data}
    return WebhookEvent(id_, kind, json.dumps(whole, ensure_ascii=False, separators=(",", ":")))


def alert_event(alert: AlertRecord) -> WebhookEvent:
    """Write what people are sent when a trouble begins, or when it has ended."""
    is_over = alert.ended_at is not None
    at = (alert.ended_at if is_over else alert.told_at) or alert.since
    data = {
        "id": f"alert_{alert.id}",
        "kind": alert.kind,
        "about": alert.about,
        "sentence": over(alert) if is_over else alert.sentence,
        "since": iso(alert.since),
        "ended_at": iso(alert.ended_at),
    }
    kind = "alert.ended" if is_over else "alert.began"
    return envelope(public_event_id(f"{alert.id}_{'ended' if is_over else 'began'}"), kind, at, data)


def over(alert: AlertRecord) -> str:
    """Say that a trouble is over, and for how long it lasted."""
    lasted = lasting(max(0.0, (alert.ended_at or alert.since) - alert.since))
    return f"{alert.about}: {alert.kind.replace('_', ' ')} is over after {lasted}. It was: {alert.sentence}"


def job_data(event: Event) -> dict[str, Any]:
    job = public_id("job", event.job or "")
    return {
        "id": job,
        "status": event.kind.value.partition(".")[2],
        "custom_id": event.custom_id,
        "batch": event.batch and public_id("batch", event.batch),
        "model": event.model,
        "fault": event.fault,
        "generation": event.generation,
        "status_url": f"/api/v1/jobs/{job}",
    }


def batch_data(event: Event, about: BatchFacts) -> dict[str, Any]:
    batch, counts = public_id("batch", event.batch or ""), event.counts or {}
    return {
        "id": batch,
        "status": batch_kind(counts, about).partition(".")[2],
        "name": about.name,
        "counts": dict(counts),
        "status_url": f"/api/v1/batches/{batch}",
    }


def batch_kind(counts: Mapping[str, int], about: BatchFacts) -> str:
    """Say how a batch ended in OpenAI's words: jobs that died are a part of one that is completed.

    >>> batch_kind({State.SUCCEEDED: 3, State.DEAD: 1}, BatchFacts()), batch_kind({State.EXPIRED: 1}, BatchFacts())
    ('batch.completed', 'batch.expired')
    """
    if about.failed:
        return "batch.failed"
    if about.cancelled and counts.get(State.CANCELLED):
        return "batch.cancelled"
    return "batch.expired" if counts.get(State.EXPIRED) else "batch.completed"
