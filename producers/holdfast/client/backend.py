"""The port: what can be asked of Holdfast. ``local`` answers from SQL and Redis, ``http`` asks a server.

A backend is made for one tenant, or for an operator who sees all: no question can reach what belongs to others. Ids are
public ones (``job_…``, ``batch_…``). A ``View`` is a JSON object as `views` writes it and as HTTP carries it, so that
the command line and the API print the same, whichever side answered.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from holdfast.client.end_hints import Hints, OnEnded, Sleeper
from holdfast.client.submit_request import Accepted, Item, JobDefaults, SubmitRequest
from holdfast.model.job import State

if TYPE_CHECKING:
    from holdfast.client.answer import Answer
    from holdfast.client.bulk_order import BulkOrder
    from holdfast.client.installation import Installation
    from holdfast.client.output_form import OutputForm, OutputLine
    from holdfast.model.call_result import ProviderResponse
    from holdfast.model.event import EventFilter
    from holdfast.model.records import AuditFilter, BatchFilter, JobFilter

View = dict[str, Any]  # JSON that is passed on: who draws it reads the fields that it needs
Force = Literal["open", "closed"]
Control = Literal["show", "pause", "resume", "abort"]


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
