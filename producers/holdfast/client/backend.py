"""What a client needs done, whoever does it: our own storage, or a Holdfast server over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from holdfast.client.answer import Answer
from holdfast.model.job import Priority, State
from holdfast.model.request import Request

Item = str | Mapping[str, Any] | Request


@dataclass(frozen=True, slots=True)
class JobDefaults:
    """What holds for the jobs of one submit that do not say otherwise. ``expires_in`` in seconds."""

    model: str | None = None
    priority: Priority | None = None
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One submit: its items in input order.

    ``many`` items become a batch called ``name``, or join ``batch`` (an inner id) with the first item at position
    ``first``. A repeated submit with the same ``key`` finds the same jobs.
    """

    items: Sequence[Item]
    defaults: JobDefaults = field(default_factory=JobDefaults)
    many: bool = False
    name: str = ""
    batch: str | None = None
    first: int = 0
    key: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptedJob:
    """An accepted job: ``created`` is False where the idempotency key was known, and ``id`` the job it named."""

    id: str
    created: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """Answer to one SubmitRequest: ``jobs`` in the same order, ``batch`` where there is one. Inner ids."""

    jobs: Sequence[AcceptedJob]
    batch: str | None = None


class Backend(Protocol):
    """Ids are inner ids. Everything may raise StorageUnavailable or ServerUnavailable, and what is named NotFound."""

    def submit(self, order: SubmitRequest) -> Accepted:
        """Take all items or none. Raises InvalidJobs, Conflict."""
        ...

    def states(self, ids: Sequence[str]) -> Mapping[str, State]: ...

    def answer(self, job: str) -> Answer | None:
        """Return how the job ended, or None while it has not."""
        ...

    def finished(self, batch: str, after: int, limit: int) -> list[tuple[int, Answer]]:
        """Return ended jobs at positions > ``after``, at most ``limit``, in position order; there may be gaps."""
        ...

    def counts(self, batch: str) -> Mapping[State, int]: ...

    def cancel(self, job: str) -> State: ...

    def cancel_batch(self, batch: str) -> int: ...

    def close(self) -> None: ...
