"""Events as the OpenAPI document shows them: the data of a stream's events, and the members of a page."""

from typing import Literal

from holdfast.api.native.answers import AnswerModel
from holdfast.model.fault import FaultKind
from holdfast.model.job import State


class JobEvent(AnswerModel):
    """A job that ended. A replay raises its ``generation``, and ends again."""

    id: str
    kind: Literal["job.succeeded", "job.dead", "job.cancelled", "job.expired"]
    created_at: str
    tenant: str
    batch: str | None
    job: str
    status: Literal["succeeded", "dead", "cancelled", "expired"]
    custom_id: str | None
    model: str
    generation: int
    fault: FaultKind | None


class BatchEvent(AnswerModel):
    """A batch of which every job has ended, counted by state. One that gets more jobs, or a replay, ends again."""

    id: str
    kind: Literal["batch.ended"]
    created_at: str
    tenant: str
    batch: str
    counts: dict[State, int]


class EventsPage(AnswerModel):
    """Events in order. ``next`` is what to hand back as ``after``, also where there are none yet."""

    events: list[JobEvent | BatchEvent]
    next: str
