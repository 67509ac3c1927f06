"""The life of a job: its states, and the records of it that cross from one part of Holdfast to another.

All times are seconds since the Unix epoch as SQL's clock tells them, never a client's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.model.fault import FaultKind
from holdfast.model.request import Request

DEFAULT_TENANT = "default"
MAX_ATTEMPTS = 5  # outcomes that are the job's own doing
MAX_CALLS = 8  # calls that may have been billed
MAX_CRASHES = 3  # deliveries that ended with the death of the worker


class State(StrEnum):
    QUEUED = "queued"  # may start now
    DELAYED = "delayed"  # may start at available_at
    RUNNING = "running"  # held by one worker under one fence
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TERMINAL = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED})
LIVE = frozenset(State) - TERMINAL


class Priority(StrEnum):
    """Priority classes. Each model alias has one lane per class; workers serve interactive lanes first."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


def lane_name(model: str, priority: Priority) -> str:
    """Name the lane of a model alias and priority class.

    >>> lane_name("smart", Priority.BATCH)
    'smart.batch'
    """
    return f"{model}.{priority}"


@dataclass(frozen=True, slots=True)
class Need:
    """What the lanes must know of a job: estimated tokens, routes to leave out, and the deadline they order jobs by.

    ``avoid`` maps a route's name to the time until which the job must not take it; None is for ever.
    """

    input_tokens: int
    output_tokens: int
    avoid: Mapping[str, float | None] = field(default_factory=dict)
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as a producer hands it in. ``id`` is made by the producer, so that a repeated submit is the same job."""

    id: str
    model: str
    request: Request
    need: Need
    tenant: str = DEFAULT_TENANT
    batch: str | None = None
    custom_id: str | None = None
    position: int | None = None  # place in the input, for ordered output
    priority: Priority = Priority.BATCH
    idempotency_key: str | None = None
    expires_in: float | None = None  # seconds after acceptance
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def lane(self) -> str:
        return lane_name(self.model, self.priority)


@dataclass(frozen=True, slots=True)
class Submitted:
    """Answer to one NewJob, in the same order. ``created`` is False where the idempotency key was known.

    ``expires_at`` is the new job's deadline, None where it has none or is not new.
    """

    id: str
    lane: str
    created: bool
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A job that may start now, as the lanes need it."""

    id: str
    lane: str
    need: Need


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to make one call: breakers' yes, units from every bucket, a concurrency slot.

    ``epochs`` are those of the target's breakers when the permit was given: an answer from before a change of state
    moves nothing. ``probe`` marks the single call of a half-open breaker. ``below_limit``: much of a known limit was
    left. ``asked_at`` is when this process asked for it, in seconds on a clock of its own that never goes back.
    """

    id: str
    job: str
    lane: str
    route: str
    credential: str
    epochs: Mapping[str, int]
    probe: bool = False
    below_limit: bool = False
    asked_at: float = 0.0

    @property
    def worker(self) -> str:
        """Whom the gate gave it: ids begin with that."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds under ``fence``, with its attempt row written.

    ``attempt_number`` counts calls of this generation from 1. ``attempts`` and ``calls`` are those used *before* this
    call: attempts count outcomes that were the job's own doing, calls those that may have been billed.
    ``tries`` counts all earlier calls that failed, for backoff.
    """

    id: str
    lane: str
    model: str
    generation: int
    fence: int
    attempt_number: int
    attempts: int
    calls: int
    tries: int
    need: Need
    request: Request
    expires_at: float | None
    custom_id: str | None = None
    tenant: str = DEFAULT_TENANT

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for the answer."""
        return self.lane.endswith(f".{Priority.INTERACTIVE}")


class Outcome(StrEnum):
    """How an attempt ended. ``unknown``: its worker died, or bytes were sent and no answer came."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"  # handed back before a byte was sent


@dataclass(frozen=True, slots=True)
class MappingNote:
    """What a mapping changed or dropped: ``field`` as the producer wrote it, ``note`` in words."""

    field: str
    note: str


@dataclass(frozen=True, slots=True)
class MappingReport:
    """Everything a mapping lost on the way to one route; empty when nothing was."""

    notes: tuple[MappingNote, ...] = ()


@dataclass(frozen=True, slots=True)
class DeathReason:
    """Why a job ended without a reply."""

    kind: FaultKind
    message: str
    status: int | None = None
    code: str | None = None
