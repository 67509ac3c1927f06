"""Lists for programs: entries of page after page, and the filters that they take by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, TypeAlias, TypedDict

from holdfast.client.backend import View
from holdfast.client.list_filters import LISTS
from holdfast.model.event import EventKind
from holdfast.model.fault import FaultKind
from holdfast.model.job import State

PAGE = 200  # entries that are asked for at once
Moment: TypeAlias = datetime | timedelta | str | float  # a timedelta is so long ago


class BatchFilters(TypedDict, total=False):
    """Filters of a list of batches."""

    tenant: str
    created_after: Moment
    created_before: Moment


class JobFilters(BatchFilters, total=False):
    """Filters of a list of jobs."""

    id: str | Sequence[str]
    state: State | str | Sequence[State | str]
    model: str
    lane: str
    batch: str
    custom_id: str
    fault: FaultKind | str
    cause: str
    finished_after: Moment
    finished_before: Moment


class EventFilters(TypedDict, total=False):
    """Filters of events."""

    kind: EventKind | str | Sequence[EventKind | str]
    job: str
    batch: str
    tenant: str
    model: str
    custom_id: str
    fault: FaultKind | str


def known_filters(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return filters of a list that it has. Raises TypeError: it has no such, and which was meant perhaps."""
    known = [each.name for each in LISTS[name]]
    for unknown in given.keys() - set(known):
        near = get_close_matches(unknown, known, n=1, cutoff=0.5)
        raise TypeError(f"{name} have no filter {unknown!r}. " + (f"Did you mean {near[0]}?" if near else str(known)))
    return given


def entries(name: str, page_after: Callable[[str | None], View]) -> Iterator[View]:
    """Yield the entries of all pages; ``page_after`` reads the one beyond a cursor."""
    cursor: str | None = None
    while True:
        page = page_after(cursor)
        yield from page[name]
        cursor = page["next"]
        if cursor is None:
            return
