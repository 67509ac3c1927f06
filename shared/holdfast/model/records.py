"""What the store tells about what it holds: read-only rows for status pages, clients and operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.model.audit_action import AuditAction
from holdfast.model.fault import FaultKind
from holdfast.model.job import MappingNote, Outcome, Priority, State

if TYPE_CHECKING:
    from holdfast.model.reply import Reply, Usage
    from holdfast.model.request import Request
    from holdfast.model.route import Api


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job without its prompt. Times are seconds since the epoch on SQL's clock."""

    id: str
    """Made by the producer before it was sent, so that a submit that is repeated is the same job."""
    tenant: str
    """Who it belongs to."""
    batch: str | None
    """The batch it is part of."""
    custom_id: str | None
    """The producer's own name for it."""
    position: int | None
    """Its place in the input."""
    model: str
    """Its model alias."""
    lane: str
    """Where it waits: model alias and priority."""
    priority: Priority
    """Its class."""
    state: State
    """Where it stands; moved as ``policy/moves.py`` lists, by one guarded statement each."""
    generation: int
    """1 on acceptance; each replay adds one."""
    attempts: int
    """Outcomes that were its own doing; counted by each finish, 0 again after a replay."""
    calls: int
    """Calls that may have been billed; counted by finishes, take-overs and stops, 0 again after a replay."""
    crashes: int
    """Workers that died while they held it; counted by take-overs. The third buries it."""
    fence: int
    """Raised by each claim and never lowered: writes under an older one are refused."""
    worker: str | None
    """Who holds it while it runs; set by the claim, cleared by whatever comes next."""
    available_at: float | None
    """When a delayed job may start; set by retry, snooze and paced replay, cleared by the release."""
    expires_at: float | None
    """Its deadline; set on acceptance and by a replay. None: it has none."""
    why_waiting: str | None
    """Why it does not run, for the person who asks; set by what sent it back, cleared by the claim."""
    fault: FaultKind | None
    """What went wrong last, or what it ended of; set by the finish, cleared by a replay."""
    created_at: float
    """When it was accepted."""
    finished_at: float | None
    """When it ended; retention counts from it, and a replay clears it."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The producer's labels."""
    not_before: float | None = None
    """When its producer lets it start, where that was later than its acceptance; set on acceptance, never changed."""
    written_in: "Api | None" = None
    """The wire format that its request was written in, and its output is told in. None: Holdfast's plain form."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One call."""

    job: str
    """The job it was made for."""
    generation: int
    """The job's generation then."""
    number: int
    """From 1 in each generation; set by the claim, or by the hedge."""
    route: str
    """Where the call went, by the permit."""
    credential: str
    """Which of the route's credentials it used."""
    fence: int
    """That of the claim. Two attempts of one fence are a hedge."""
    worker: str
    """Who made the call."""
    started_at: float
    """When the row was written, which is before a byte is sent."""
    ended_at: float | None
    """When the end was recorded: by its worker, by a stop, or by a take-over. None: it runs."""
    outcome: Outcome | None
    """How it ended. None: it runs. An unknown end is corrected when its worker still brings the truth."""
    fault: FaultKind | None
    """What went wrong. None: nothing did, or nobody knows."""
    status: int | None
    """HTTP status of the answer. None: none came, or an earlier version kept none of a success."""
    code: str | None
    """The provider's own code of a failed call."""
    message: str | None
    """What went wrong, for a person: never prompt text, never a key."""
    provider_request_id: str | None
    """The provider's name for the call, to ask its support with."""
    usage: "Usage | None"
    """Tokens of a call that was answered."""
    cost_micros: int
    """Micro-dollars by the route's price; 0 where nothing was answered or no price is known."""
    mapping: tuple[MappingNote, ...] = ()
    """What the request lost on its way into the route's format."""


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """The one terminal record of a job's generation."""

    job: str
    """The job that ended."""
    generation: int
    """Which of its generations: each has one result."""
    fence: int
    """That of the claim that ended it, or of the last claim where none did; audits compare it."""
    state: State
    """How it ended."""
    reply: "Reply | None"
    """The answer of one that succeeded, and of no other."""
    fault: FaultKind | None
    """What ended it. None: it succeeded or was cancelled."""
    code: str | None
    """The provider's own code, where a call ended it."""
    message: str | None
    """Why it ended without a reply, for a person."""
    route: str | None
    """The route of the call that ended it. None: no call did."""
    usage: "Usage | None"
    """Tokens of the call that ended it."""
    cost_micros: int
    """Micro-dollars of all calls of this generation, as far as they were known when it ended."""
    attempts: int
    """Calls made in this generation, hedges included."""
    mapping: tuple[MappingNote, ...]
    """What the request lost on its way to the route that ended it."""
    created_at: float
    """When it ended."""


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A terminal job with its record, as a batch's output needs it."""

    job: JobRecord
    """The job as it stands now."""
    result: ResultRecord
    """The terminal record of its newest generation."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch: jobs that were handed in together."""

    id: str
    """Made by the producer that opened it."""
    tenant: str
    """Who it belongs to, and all of its jobs."""
    name: str
    """What its producer calls it."""
    created_at: float
    """When it was opened. It ends when its last job does."""
    counts: Mapping[State, int]
    """Its jobs by state, from the running tally."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """A worker process, and its lease on the jobs that it holds."""

    id: str
    """Made when the process starts; permits and attempts carry it."""
    host: str
    """Name of its machine."""
    pid: int
    """Its process id there."""
    version: str
    """Version of Holdfast it runs."""
    started_at: float
    """When it registered first."""
    lease_until: float
    """Until when it holds its jobs; each renewal moves it on. Past it, a sweeper takes its jobs over."""
    stopped_at: float | None
    """When it stopped of its own accord or was taken over. None: it lives, as far as its lease tells."""


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """Jobs of one lane by state, from the running tally."""

    lane: str
    """Name of the lane."""
    counts: Mapping[State, int]
    """Its jobs by state."""
    paused: bool = False
    """Whether an operator paused it: nothing starts there until it is resumed."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A dead worker, and the jobs it held: those that may start again, and those it killed once too often."""

    worker: str
    """Whose lease ran out."""
    requeued: int
    """Jobs it held that may start again."""
    poisoned: int
    """Jobs it held that have outlived as many workers as they may, and are dead."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Every field narrows; None leaves it open. Times are seconds since the epoch."""

    tenant: str | None = None
    """Of one tenant."""
    states: frozenset[State] | None = None
    """In one of these states."""
    model: str | None = None
    """Of one model alias."""
    lane: str | None = None
    """Of one lane."""
    batch: str | None = None
    """Of one batch."""
    custom_id: str | None = None
    """With this name of their producer's."""
    fault: FaultKind | None = None
    """With this fault: the last one, or what they died of."""
    cause: str | None = None
    """Dead of this cause, as groups of dead letters name it."""
    ids: tuple[str, ...] | None = None
    """These jobs and no others."""
    created_after: float | None = None
    """Accepted at this time or later."""
    created_before: float | None = None
    """Accepted before this time."""
    finished_after: float | None = None
    """Ended at this time or later."""
    finished_before: float | None = None
    """Ended before this time."""


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Every field narrows; None leaves it open. Times are seconds since the epoch."""

    tenant: str | None = None
    """Of one tenant."""
    created_after: float | None = None
    """Made at this time or later."""
    created_before: float | None = None
    """Made before this time."""


@dataclass(frozen=True, slots=True)
class ReplayEdit:
    """What a replay changes of its jobs; None leaves it as it was."""

    model: str | None = None
    """The model alias, or ``provider/model``, that they ask for from now on."""
    max_tokens: int | None = None
    """The most tokens that their answers may have from now on."""


@dataclass(frozen=True, slots=True)
class RouteWords:
    """What a route said to one job: the last of so many calls of its newest generation."""

    route: str
    """Where the calls went."""
    calls: int
    """How many there were."""
    fault: FaultKind | None
    """What the last one came to. None: nothing went wrong, or nobody knows."""
    status: int | None
    """Its HTTP status."""
    message: str | None
    """Its words."""


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """Dead letters that died of the same cause."""

    cause: str
    """Its short name, to filter by; ``unknown`` for those that died before causes were kept."""
    fault: FaultKind
    """What its jobs died of."""
    jobs: int
    """How many there are."""
    lanes: Mapping[str, int]
    """How many of them each lane has."""
    oldest: float
    """When the first of them died."""
    newest: float
    """When the last of them died."""
    sample: str
    """The id of the newest job of it."""
    route: str | None = None
    """The route of the call that ended the sample. None: no call did."""
    status: int | None = None
    """The HTTP status it ended with."""
    code: str | None = None
    """The provider's own code it ended with."""
    message: str = ""
    """What was said, without what differs from job to job."""
    said: tuple[RouteWords, ...] = ()
    """What each route said to the sample, in the order of its calls."""

    @property
    def provider(self) -> str:
        return (self.route or "").partition("/")[0]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One invariant of docs/guarantees.md, computed from SQL."""

    name: str
    """Short name of the invariant, as in docs/guarantees.md."""
    sentence: str
    """What it says."""
    holds: bool
    """Whether it is true of what is stored now."""
    figures: Mapping[str, int]
    """The counts that were compared."""
    offenders: tuple[str, ...] = ()
    """Ids of jobs that break it, at most a hundred."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act of an operator, or one refusal."""

    id: int
    """In the order in which it was written."""
    at: float
    """When."""
    actor: str
    """Who: a key, a user of the command line, or ``client``."""
    action: str
    """What was done: ``replay``, ``drop``, ``override``, ``reveal``, ``denied``, …"""
    what: object
    """To what: the JSON that was written beside it."""
    jobs: int
    """How many jobs it moved."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Every field narrows; None leaves it open. Times are seconds since the epoch."""

    actor: str | None = None
    """Done by this one."""
    actions: frozenset[AuditAction] | None = None
    """One of these was done."""
    created_after: float | None = None
    """Done at this time or later."""
    created_before: float | None = None
    """Done before this time."""


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything about one job."""

    job: JobRecord
    """The job itself."""
    attempts: tuple[AttemptRecord, ...]
    """Its calls of all generations, in order."""
    result: ResultRecord | None
    """The terminal record of its newest generation. None: that has not ended."""
    request: "Request | None" = None
    """The prompt, where it was asked for."""
