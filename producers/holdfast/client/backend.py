"""The port: what can be asked of Holdfast. ``local`` answers from SQL and Redis, ``http`` asks a server.

A backend is made for one tenant, or for an operator who sees all: no question can reach what belongs to others. Ids are
public ones (``job_…``, ``batch_…``). A ``View`` is a JSON object as `views` writes it and as HTTP carries it, so that
the command line and the API print the same, whichever side answered.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from holdfast.model.job import Priority, State
from holdfast.model.start_time import StartTime

if TYPE_CHECKING:
    import msgspec

    from holdfast.client.answer import Answer
    from holdfast.client.bulk_order import BulkOrder
    from holdfast.client.installation import Installation
    from holdfast.client.output_form import OutputForm, OutputLine
    from holdfast.model.call_result import ProviderResponse
    from holdfast.model.event import EventFilter
    from holdfast.model.records import AuditFilter, BatchFilter, JobFilter
    from holdfast.model.request import Request

    Item: TypeAlias = str | Mapping[str, Any] | Request | bytes | msgspec.Raw
else:
    Item = object  # what it names is slow to import, and most commands submit nothing
"""One of a submit; of a line, bytes are JSON as it was written."""
View = dict[str, Any]  # JSON that is passed on: who draws it reads the fields that it needs
Force = Literal["open", "closed"]
Control = Literal["show", "pause", "resume", "abort"]
OnEnded = Callable[[Sequence[str]], None]  # takes ids of jobs that ended, as SQL knows them


@dataclass(frozen=True, slots=True)
class JobDefaults:
    """What holds for the jobs of one submit that do not say otherwise. ``expires_in`` in seconds."""

    model: str | None = None
    priority: Priority | None = None
    expires_in: float | None = None
    not_before: StartTime | None = None


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One submit: its items in input order.

    ``many`` items become a batch called ``name``, or join ``batch`` with the first item at position ``first``. A
    repeated submit with the same ``key`` finds the same jobs. ``webhook``: the URL that is told of the batch's end; of
    items that become none, of each one's.
    """

    items: Sequence[Item]
    defaults: JobDefaults = field(default_factory=JobDefaults)
    many: bool = False
    name: str = ""
    batch: str | None = None
    first: int = 0
    key: str | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptedJob:
    """An accepted job: ``created`` is False where the idempotency key was known, and ``id`` the job it named.

    ``scheduled``: it is new, and may not start yet.
    """

    id: str
    created: bool
    scheduled: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """Answer to one SubmitRequest: ``jobs`` in the same order, ``batch`` where there is one."""

    jobs: Sequence[AcceptedJob]
    batch: str | None = None


class Hints(Protocol):
    """Tells an event loop of ended jobs, once it is started there. Some may be missed."""

    def start(self) -> None: ...

    async def close(self) -> None: ...


class Sleeper(Protocol):
    """Sleeps for a thread that waits for one job, and at most until a hint says that this job has ended."""

    def sleep(self, seconds: float) -> None: ...

    def close(self) -> None: ...


class Backend(Protocol):
    """Every method may raise StorageUnavailable or ServerUnavailable, and NotFound for what is named and not there.

    A page is ``{"jobs": [...], "next": ...}``: at most ``limit`` views, newest first, beyond ``cursor``, which is the
    ``next`` of the page before.
    """

    @property
    def installation(self) -> "Installation | None":
        """What of an installation this process opens itself; None where a server does it all."""

    # Jobs

    def submit(self, request: SubmitRequest) -> Accepted:
        """Take all items or none. Raises InvalidJobs, Conflict."""

    def estimate(self, items: "Sequence[Item]", defaults: JobDefaults) -> View:
        """Say what items would take and cost, and submit none: see `cost_estimate.estimate_items`."""

    def states(self, jobs: Sequence[str]) -> Mapping[str, State]:
        """Return the state of each job that is there: a cheap poll for those who wait."""

    def hints(self, on_ended: OnEnded) -> Hints | None:
        """Make what calls ``on_ended`` when jobs have ended; None: nothing can, and whoever waits polls."""

    def sleeper(self, job: str) -> Sleeper:
        """Make what sleeps between two looks at a job."""
        ...

    def answer(self, job: str) -> "Answer | None":
        """Return how the job ended, or None while it has not."""

    def jobs(self, where: "JobFilter", limit: int, cursor: str | None = None) -> View:
        """Return a page of jobs."""

    def job(self, job: str) -> View:
        """Show a job with its attempts, and its reply or error once it has ended."""

    def response(self, job: str) -> "ProviderResponse":
        """Return a provider's answer as it came: of the call that ended the job, or of the last one that brought any.

        Raises: NotFound: none came.
        """
        ...

    def cancel(self, job: str) -> View:
        """Cancel a job unless it has ended: ``{"id": ..., "status": ...}``."""
        ...

    # Batches

    def batches(self, limit: int, cursor: str | None = None, where: "BatchFilter | None" = None) -> View:
        """Return a page of batches."""

    def batch(self, batch: str) -> View:
        """Show a batch with its jobs counted by state."""

    def counts(self, batch: str) -> Mapping[State, int]:
        """Count the jobs of a batch by state."""

    def spent(self, batch: str) -> float:
        """Return what a batch's ended jobs have cost: USD, as far as prices are known."""
        ...

    def results(self, batch: str, after: int, limit: int) -> View:
        """Return the output lines of ended jobs at positions > ``after``, in position order; there may be gaps.

        ``{"results": [...], "next": ...}``: at most ``limit`` lines, each with its ``position``; ``next`` is the last.
        """

    def output_lines(self, batch: str, after: int, limit: int, form: "OutputForm") -> "Sequence[OutputLine]":
        """Return the same as lines of a file, each in the wanted form. Long ones come fewer at a time."""

    def cancel_batch(self, batch: str) -> View:
        """Cancel every job of a batch that has not ended: ``{"id": ..., "cancelled": ...}``."""
        ...

    # Events

    def events(self, where: "EventFilter", after: str, limit: int, wait: float = 0.0) -> View:
        """Return the events beyond ``after``, oldest first; of an empty page wait ``wait`` seconds for the first one.

        ``after`` is the id of an event, ``oldest`` or ``newest``; ``{"events": [...], "next": ...}``, where ``next`` is
        the ``after`` of the next page, also of an empty one. Raises EventsGone, InvalidRequest.
        """

    # Lanes, routes, and the state of everything

    def lanes(self) -> View:
        """List lanes, each with its jobs by state and when it will be empty."""

    def pause(self, lane: str, *, paused: bool) -> View:
        """Stop starting jobs of a lane, or start again. ``warning`` says that Redis gets it later."""

    def routes(self) -> View:
        """List configured routes with breakers, buckets and calls in flight."""

    def force(self, route: str, want: Force) -> View:
        """Let no call take a route (open) or every call (closed), whatever its breaker says."""

    def reset(self, route: str) -> View:
        """Lift an override, and forget what breakers and pauses hold against a route."""

    def status(self) -> View:
        """Show storage, workers, lanes, routes and what an operator should know."""

    def ledger(self) -> View:
        """Compute the ledger equations from SQL: what was accepted is accounted for."""

    def diagnose(self, provider: str | None, *, with_calls: bool = True) -> View:
        """Check a provider, or all, and come to a verdict on each; models are called, a few tokens, unless told not to.

        Raises NotFound.
        """

    def audit(self, where: "AuditFilter", limit: int, cursor: str | None = None) -> View:
        """Return a page of what operators did and of what was refused: ``{"acts": [...], "next": ...}``."""

    # Dead letters. A limit is the most that one act takes, oldest first.

    def dead_groups(self, where: "JobFilter") -> View:
        """Group dead letters by lane and fault, largest group first."""

    def plan_bulk(self, order: "BulkOrder") -> View:
        """Say what an order would do: jobs, and of a replay what it costs at most and over which routes."""

    def act(self, order: "BulkOrder", wait: float | None) -> View:
        """Open an operation, and show it once it ended or ``wait`` seconds passed; None: until its end."""

    def operations(self) -> View:
        """List the newest operations: ``{"operations": [...]}``."""

    def operation(self, operation: str, control: Control = "show") -> View:
        """Show an operation: how far it is, once it was paused, resumed or aborted."""

    def export(self, operation: str, to: Path) -> None:
        """Write what a drain has taken to a new file, one JSON object a line. Raises Conflict while it goes on."""

    def delete_export(self, operation: str) -> None:
        """Delete what a drain has taken for good."""

    def close(self) -> None:
        """Close every connection."""
