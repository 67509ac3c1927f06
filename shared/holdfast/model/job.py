"""The life of a job: its states, and the records of it that cross from one part of Holdfast to another.

All times are seconds since the Unix epoch as SQL's clock tells them, never a client's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.model.fault import FaultKind

if TYPE_CHECKING:
    from holdfast.model.request import Request  # slow to import, and most who look at jobs read none

DEFAULT_TENANT = "default"
MAX_ATTEMPTS = 5  # outcomes that are the job's own doing
MAX_CALLS = 8  # calls that may have been billed
MAX_CRASHES = 3  # deliveries that ended with the death of the worker
SCHEDULED = "scheduled: its producer lets it start later"  # why a job waits for its ``not_before``
MAX_EXCEPTIONS = 2  # attempts that ended with an unexpected exception of ours


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
    """What the lanes must know of a job: estimated tokens, routes to leave out, and the deadline they order jobs by."""

    input_tokens: int
    """Estimated when the job is handed in, at least 1. The gate reserves them; real usage corrects that."""
    output_tokens: int
    """What the request allows at most, or a default. Reserved where the provider counts output in advance."""
    avoid: Mapping[str, float | None] = field(default_factory=dict)
    """Routes it must not take, each until a time or (None) for ever. Set by each reroute, dropped by a replay."""
    expires_at: float | None = None
    """Its deadline, by which a lane orders its jobs. Set when it is accepted; None: it waits without an end."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A job that may start now, as the lanes need it."""

    id: str
    """The job's. Its lane's window holds an id at most once."""
    lane: str
    """The lane whose window it goes into."""
    need: Need
    """What the gate has to know to give it a permit."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of one job that was handed in."""

    id: str
    """The job's: that of the first submit, where the idempotency key was known."""
    created: bool
    """False where the idempotency key was known, and nothing was written."""
    offer: Offer | None = None
    """What its lane is told next. None: it is not new, or may not start yet; a sweeper offers it in time."""

    @property
    def scheduled(self) -> bool:
        """Whether it is new, and may not start yet."""
        return self.created and self.offer is None


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to make one call: breakers' yes, units from every bucket, a concurrency slot."""

    id: str
    """Made by the gate: its worker's id, a slash, and a number. Settled or released under it once."""
    job: str
    """The job that left its lane with it; its worker claims it next."""
    lane: str
    """The lane that the job left; its message is acknowledged there."""
    route: str
    """Name of the route the call may take, the first of the plan that admitted the job."""
    credential: str
    """Which of the route's credentials."""
    epochs: Mapping[str, int]
    """Epochs of the target's breakers when it was given: an answer from before a change of state moves nothing."""
    probe: bool = False
    """Whether its call is the single one of a half-open breaker."""
    below_limit: bool = False
    """Whether much of a known limit was left: a limiter that refuses the call all the same is sick."""
    asked_at: float = 0.0
    """When this process asked for it, in seconds of its monotonic clock. An old one is asked for anew."""

    @property
    def worker(self) -> str:
        """Whom the gate gave it: ids begin with that."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds under ``fence``, with its attempt row written."""

    id: str
    """The job's."""
    lane: str
    """The lane it came from, and goes back to."""
    model: str
    """Its model alias."""
    generation: int
    """1, and one more for each replay. Its attempts and its terminal record carry it."""
    fence: int
    """Raised by this claim. Every later write names it, and does nothing once it is no longer the job's."""
    attempt_number: int
    """Number of the attempt that was written with the claim, from 1 in each generation."""
    attempts: int
    """Outcomes before this call that were the job's own doing; at ``MAX_ATTEMPTS`` it is buried."""
    calls: int
    """Calls before this one that may have been billed; at ``MAX_CALLS`` it is buried."""
    tries: int
    """Calls before this one that failed, which widen the backoff."""
    need: Need
    """What was reserved for it, with the routes it has to avoid now."""
    request: "Request"
    """The prompt, as it was handed in."""
    expires_at: float | None
    """Its deadline. A step that would come later ends it as expired."""
    custom_id: str | None = None
    """The producer's own name for it."""
    tenant: str = DEFAULT_TENANT
    """Who it belongs to."""
    fault: FaultKind | None = None
    """What its call before this one ended with. None: nothing went wrong, or this is its first."""
    output_ceiling: int | None = None
    """The most output tokens it may ask for, as a route said that refused more. None: no route did."""
    exceptions: int = 0
    """Attempts before this one that ended with an unexpected exception of ours; at ``MAX_EXCEPTIONS`` it is buried."""
    traceparent: str | None = None
    """The span that it was submitted in. None: nobody traced that."""

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
    """What a mapping changed or dropped."""

    field: str
    """Name of the field as the producer wrote it."""
    note: str
    """What became of it, in words."""


@dataclass(frozen=True, slots=True)
class MappingReport:
    """Everything a mapping lost on the way to one route; empty when nothing was."""

    notes: tuple[MappingNote, ...] = ()
    """In the order in which they came up; stored with the attempt and with the terminal record."""


@dataclass(frozen=True, slots=True)
class DeathReason:
    """Why a job ended without a reply."""

    kind: FaultKind
    """What it died of, by which dead letters are grouped."""
    message: str
    """What happened, for a person: never prompt text, never a key."""
    status: int | None = None
    """HTTP status of the last call, where there was one."""
    code: str | None = None
    """The provider's own code of the last call, where it gave one."""
