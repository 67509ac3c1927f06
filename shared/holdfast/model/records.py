"""What the store tells about what it holds: read-only rows for status pages, clients and operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.model.fault import FaultKind
from holdfast.model.job import MappingNote, MappingReport, Outcome, Priority, State
from holdfast.model.reply import Reply, Usage
from holdfast.model.request import Request


@dataclass(frozen=True, slots=True)
class JobRecord:
    id: str
    tenant: str
    batch: str | None
    custom_id: str | None
    position: int | None
    model: str
    lane: str
    priority: Priority
    state: State
    generation: int
    attempts: int
    calls: int
    crashes: int
    fence: int
    worker: str | None
    available_at: float | None
    expires_at: float | None
    why_waiting: str | None
    fault: FaultKind | None
    created_at: float
    finished_at: float | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One call. ``outcome`` is None while it runs."""

    job: str
    generation: int
    number: int
    route: str
    credential: str
    fence: int
    worker: str
    started_at: float
    ended_at: float | None
    outcome: Outcome | None
    fault: FaultKind | None
    status: int | None
    code: str | None
    message: str | None
    provider_request_id: str | None
    usage: Usage | None
    cost_micros: int
    mapping: tuple[MappingNote, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """The one terminal record of a job's generation: ``reply`` when it succeeded, else fault and message."""

    job: str
    generation: int
    fence: int
    state: State
    reply: Reply | None
    fault: FaultKind | None
    code: str | None
    message: str | None
    route: str | None
    usage: Usage | None
    cost_micros: int
    attempts: int  # calls made in this generation
    mapping: tuple[MappingNote, ...]
    created_at: float


@dataclass(frozen=True, slots=True)
class TerminalRecord:
    """How one generation of a job ended, on its way to SQL; ``ResultRecord`` is what comes back from there."""

    job: str
    generation: int
    attempts: int
    """Calls made in this generation, hedges included."""
    fence: int
    """That of the claim that ended it, or the last one where none did: for audits, no statement compares it."""
    state: State
    fault: FaultKind | None = None
    status: int | None = None
    """HTTP status of the last fault, where one ended it."""
    code: str | None = None
    message: str | None = None
    route: str | None = None
    reply: Reply | None = None
    usage: Usage | None = None
    mapping: MappingReport = field(default_factory=MappingReport)


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A terminal job with its record, as a batch's output needs it."""

    job: JobRecord
    result: ResultRecord


@dataclass(frozen=True, slots=True)
class BatchRecord:
    id: str
    tenant: str
    name: str
    created_at: float
    counts: Mapping[State, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    id: str
    host: str
    pid: int
    version: str
    started_at: float
    lease_until: float
    stopped_at: float | None


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """Jobs of one lane by state, from the running tally."""

    lane: str
    counts: Mapping[State, int]
    paused: bool = False


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A dead worker, and the jobs it held: those that may start again, and those it killed once too often."""

    worker: str
    requeued: int
    poisoned: int


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Every field narrows; None leaves it open. Times are seconds since the epoch."""

    tenant: str | None = None
    states: frozenset[State] | None = None
    model: str | None = None
    lane: str | None = None
    batch: str | None = None
    fault: FaultKind | None = None
    ids: tuple[str, ...] | None = None
    created_after: float | None = None
    created_before: float | None = None
    finished_after: float | None = None
    finished_before: float | None = None


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """Dead letters that died of the same thing in the same lane."""

    lane: str
    fault: FaultKind
    jobs: int
    oldest: float
    newest: float


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One invariant of docs/guarantees.md, computed from SQL. ``offenders`` are ids, at most a hundred."""

    name: str
    sentence: str
    holds: bool
    figures: Mapping[str, int]
    offenders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything about one job."""

    job: JobRecord
    attempts: tuple[AttemptRecord, ...]
    result: ResultRecord | None
    request: Request | None = None
