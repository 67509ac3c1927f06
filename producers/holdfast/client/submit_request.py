"""What a producer hands in with one submit, and what it is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from holdfast.model.job import Priority
from holdfast.model.start_time import StartTime

if TYPE_CHECKING:
    import msgspec

    from holdfast.model.request import Request

    Item: TypeAlias = str | Mapping[str, Any] | Request | bytes | msgspec.Raw
else:
    Item = object  # what it names is slow to import, and most commands submit nothing
"""One of a submit; of a line, bytes are JSON as it was written."""


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
