"""What became of jobs and batches, for whoever listens instead of asking."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

POSITION_DIGITS = 16  # of an event's id: sixteen for its row of the outbox, sixteen for its place in it
START = "0" * 2 * POSITION_DIGITS  # comes before every event


class EventKind(StrEnum):
    """What happened. A job that is replayed ends again, and so does its batch."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_DEAD = "job.dead"
    JOB_CANCELLED = "job.cancelled"
    JOB_EXPIRED = "job.expired"
    BATCH_ENDED = "batch.ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One end of a job's generation, or of a batch. Read from the outbox, and never changed."""

    id: str
    """32 hex digits, set when it is committed. Ids sort as text in the order in which events are read."""
    kind: EventKind
    """What happened."""
    at: float
    """When, in seconds since the epoch by SQL's clock."""
    tenant: str
    """Whose job or batch it is."""
    batch: str | None
    """The batch that ended, or that the job is part of; None where it came alone."""
    job: str | None = None
    """The job that ended; None for a batch."""
    generation: int = 0
    """Which generation of the job ended: 1, and one more for each replay. 0 for a batch."""
    custom_id: str | None = None
    """The producer's own name for the job."""
    model: str | None = None
    """The model alias that the job asked for."""
    fault: str | None = None
    """What the job died of, as a FaultKind; None where nothing went wrong."""
    counts: Mapping[str, int] | None = field(default=None, hash=False)
    """The batch's jobs by state when its end was told; None for a job."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Every field narrows; None leaves it open."""

    tenant: str | None = None
    """Of one tenant."""
    batch: str | None = None
    """Of one batch: its jobs' events, and its own."""
    job: str | None = None
    """Of one job."""
    model: str | None = None
    """Of jobs that asked for one model."""
    kinds: Collection[EventKind] | None = None
    """Of one of these kinds."""
    custom_id: str | None = None
    """Of jobs that their producer calls so."""
    fault: str | None = None
    """Of jobs that died of this kind of fault."""

    def fits(self, event: Event) -> bool:
        return (
            self.tenant in {None, event.tenant}
            and self.batch in {None, event.batch}
            and self.job in {None, event.job}
            and self.model in {None, event.model}
            and (self.kinds is None or event.kind in self.kinds)
            and self.custom_id in {None, event.custom_id}
            and self.fault in {None, event.fault}
        )


def event_id(row: int, place: int) -> str:
    """Name the event at ``place`` (from 0) of a row of the outbox.

    >>> event_id(17, 3)
    '00000000000000110000000000000003'
    """
    return f"{row:0{POSITION_DIGITS}x}{place:0{POSITION_DIGITS}x}"


def row_of(event: str) -> int:
    """Return the row of the outbox that an id names.

    >>> row_of("00000000000000110000000000000003")
    17
    """
    return int(event[:POSITION_DIGITS], 16)
