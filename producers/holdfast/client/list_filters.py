"""The filters of every list: the table from which queries of HTTP, options of commands and docs/filters.md are made.

A filter has one name and one meaning everywhere: ``created_after`` in a query, ``--created-after`` of a command,
``created_after=`` in Python. Each narrows, and one that is not given leaves the list as it is.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.model.audit_action import AuditAction
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.event import EventFilter, EventKind
from holdfast.model.fault import FaultKind
from holdfast.model.ids import inner_id, public_id
from holdfast.model.iso_time import parse_iso
from holdfast.model.job import State
from holdfast.model.webhook import DeliveryFilter, DeliveryState

if TYPE_CHECKING:
    from holdfast.model.records import AuditFilter, BatchFilter, JobFilter

MOST_NAMED = 8  # choices that an error names; of more, those that are near
EXPECTED_TIME = "90m, 2h or 7d ago, an ISO 8601 date (UTC where it names no zone), or seconds since 1970"
Choice = TypeVar("Choice", bound=StrEnum)


class ValueKind(StrEnum):
    """What the values of a filter are."""

    TEXT = "TEXT"
    TIME = "TIME"
    JOB = "JOB"
    BATCH = "BATCH"
    STATE = "STATE"
    FAULT = "FAULT"
    EVENT_KIND = "KIND"
    WEBHOOK = "WEBHOOK"
    DELIVERY_STATE = "DELIVERY_STATE"
    ACTION = "ACTION"


CHOICES: Mapping[ValueKind, type[StrEnum]] = {
    ValueKind.STATE: State,
    ValueKind.FAULT: FaultKind,
    ValueKind.EVENT_KIND: EventKind,
    ValueKind.DELIVERY_STATE: DeliveryState,
    ValueKind.ACTION: AuditAction,
}


@dataclass(frozen=True, slots=True)
class ListFilter:
    """One filter. ``field``: the member of the filter's record, where it is called otherwise.

    ``many``: it may be given again, and fits what any of its values fits. ``released``: an option that it had before,
    and that goes on working.
    """

    name: str
    kind: ValueKind
    about: str
    field: str = ""
    many: bool = False
    released: str | None = None

    @property
    def option(self) -> str:
        """What commands call it."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def member(self) -> str:
        """What the record calls it."""
        return self.field or self.name


ID = ListFilter("id", ValueKind.JOB, "Only this job.", field="ids", many=True, released="--job")
STATE = ListFilter("state", ValueKind.STATE, "Only jobs in this state.", field="states", many=True)
TENANT = ListFilter("tenant", ValueKind.TEXT, "Only what belongs to this tenant; a tenant's own key sees no other.")
MODEL = ListFilter("model", ValueKind.TEXT, "Only jobs that asked for this model.")
LANE = ListFilter("lane", ValueKind.TEXT, "Only jobs of this lane, MODEL.PRIORITY.")
BATCH = ListFilter("batch", ValueKind.BATCH, "Only jobs of this batch.")
CUSTOM_ID = ListFilter("custom_id", ValueKind.TEXT, "Only jobs that their producer calls so.")
FAULT = ListFilter("fault", ValueKind.FAULT, "Only jobs whose last call failed so; of dead ones, what they died of.")
CAUSE = ListFilter("cause", ValueKind.TEXT, "Only those that died of this cause, as groups of dead letters name it.")
CREATED_AFTER = ListFilter("created_after", ValueKind.TIME, "Only what was made then or later.", released="--after")
CREATED_BEFORE = ListFilter("created_before", ValueKind.TIME, "Only what was made before then.", released="--before")
FINISHED_AFTER = ListFilter("finished_after", ValueKind.TIME, "Only jobs that ended then or later.")
FINISHED_BEFORE = ListFilter("finished_before", ValueKind.TIME, "Only jobs that ended before then.")
JOB = ListFilter("job", ValueKind.JOB, "Only events of this job.")
KIND = ListFilter("kind", ValueKind.EVENT_KIND, "Only events of this kind.", field="kinds", many=True)
WEBHOOK = ListFilter("webhook", ValueKind.WEBHOOK, "Only deliveries to this receiver.", field="endpoint")
DELIVERY_STATE = ListFilter("state", ValueKind.DELIVERY_STATE, "Only these; `dead` are those that were given up.")
ACTOR = ListFilter("actor", ValueKind.TEXT, "Only what this one did: `key:NAME`, or a user of the command line.")
ACTION = ListFilter("action", ValueKind.ACTION, "Only such acts.", "actions", many=True)

CREATED = (CREATED_AFTER, CREATED_BEFORE)
DEAD_LETTERS = (
    ID, TENANT, MODEL, LANE, BATCH, CUSTOM_ID, FAULT, CAUSE, *CREATED, FINISHED_AFTER, FINISHED_BEFORE
)  # fmt: skip
JOBS = (STATE, *DEAD_LETTERS)
BATCHES = (TENANT, *CREATED)
EVENTS = (KIND, JOB, BATCH, TENANT, MODEL, CUSTOM_ID, FAULT)
DELIVERIES = (DELIVERY_STATE, WEBHOOK, TENANT, *CREATED)
AUDIT = (ACTOR, ACTION, *CREATED)
LISTS: Mapping[str, Sequence[ListFilter]] = {
    "jobs": JOBS,
    "dead letters": DEAD_LETTERS,
    "batches": BATCHES,
    "events": EVENTS,
    "webhook deliveries": DELIVERIES,
    "audit": AUDIT,
}
Naming = Callable[[ListFilter], str]


def by_name(each: ListFilter) -> str:
    """Call a filter as HTTP and Python do."""
    return each.name


def job_filter(given: Mapping[str, Any], named: Naming = by_name) -> "JobFilter":
    """Make the filter of a list of jobs. Raises InvalidRequest, InvalidId: ``named`` says what a filter is called."""
    from holdfast.model.records import JobFilter  # noqa: PLC0415 - slow to import, and most commands list no jobs

    return JobFilter(**read_filters(JOBS, given, named))


def batch_filter(given: Mapping[str, Any], named: Naming = by_name) -> "BatchFilter":
    """Make the filter of a list of batches. Raises InvalidRequest."""
    from holdfast.model.records import BatchFilter  # noqa: PLC0415 - the same

    return BatchFilter(**read_filters(BATCHES, given, named))


def event_filter(given: Mapping[str, Any], named: Naming = by_name) -> EventFilter:
    """Make the filter of events. Raises InvalidRequest, InvalidId."""
    return EventFilter(**read_filters(EVENTS, given, named))


def delivery_filter(given: Mapping[str, Any], named: Naming = by_name) -> DeliveryFilter:
    """Make the filter of deliveries. Raises InvalidRequest."""
    return DeliveryFilter(**read_filters(DELIVERIES, given, named))


def audit_filter(given: Mapping[str, Any], named: Naming = by_name) -> "AuditFilter":
    """Make the filter of acts. Raises InvalidRequest."""
    from holdfast.model.records import AuditFilter  # noqa: PLC0415 - the same

    return AuditFilter(**read_filters(AUDIT, given, named))


def read_filters(filters: Sequence[ListFilter], given: Mapping[str, Any], named: Naming = by_name) -> dict[str, Any]:
    """Read the values of filters as members of their record. Raises InvalidRequest, InvalidId."""
    return {each.member: _read(each, given[each.name], named) for each in filters if given.get(each.name) is not None}


def write_filters(filters: Sequence[ListFilter], record: object) -> dict[str, Any]:
    """Write a record as a query of the API has it; what is open is left out."""
    values = ((each, getattr(record, each.member, None)) for each in filters)
    return {each.name: _written(each, value) for each, value in values if value is not None}


def _read(each: ListFilter, value: Any, named: Naming) -> Any:
    if not each.many:
        return _read_value(each, value, named)
    values = [value] if isinstance(value, str) else value
    read = (_read_value(each, one, named) for one in values)
    return tuple(read) if each.kind is ValueKind.JOB else frozenset(read)


def _read_value(each: ListFilter, value: Any, named: Naming) -> Any:
    match each.kind:
        case ValueKind.JOB:
            return inner_id("job", str(value))
        case ValueKind.BATCH:
            return inner_id("batch", str(value))
        case ValueKind.TIME:
            return read_time(value, named(each))
        case kind if kind in CHOICES:
            return _choose(CHOICES[kind], value, named(each))
        case _:
            return str(value)


def _written(each: ListFilter, value: Any) -> Any:
    match each.kind:
        case ValueKind.JOB | ValueKind.BATCH as kind:
            public = partial(public_id, "job" if kind is ValueKind.JOB else "batch")
            return [public(one) for one in value] if each.many else public(value)
        case _:
            return sorted(value) if each.many else value


def _choose(choices: type[Choice], value: object, where: str) -> Choice:
    try:
        return choices(str(value))
    except ValueError:
        raise InvalidRequest(where, f"expected {_some_of(choices, str(value))}, got {str(value)[:60]!r}.") from None


def _some_of(choices: type[StrEnum], value: str) -> str:
    """Name the choices; of many those that are near to what was said, or a few."""
    names = [str(each) for each in choices]
    if len(names) <= MOST_NAMED:
        return " or ".join(names)
    near = get_close_matches(value[:60], names, n=3, cutoff=0.5)
    return " or ".join(near) or f"one of {len(names)} names such as {' or '.join(names[:3])} (docs/filters.md)"


def read_time(value: datetime | timedelta | str | float, where: str, now: float | None = None) -> float:
    """Read a moment as seconds since the epoch, at least 0: so long ago, or a date. Raises InvalidRequest.

    >>> read_time("90m", "after", now=10_000.0), read_time("1970-01-02", "after"), read_time("1764523456.5", "after")
    (4600.0, 86400.0, 1764523456.5)
    """
    match value:
        case timedelta():
            seconds: float | None = (time.time() if now is None else now) - value.total_seconds()
        case datetime():
            seconds = parse_iso(value.isoformat())
        case str():
            seconds = _read_text(value, now)
        case _:
            seconds = float(value) if value >= 0 else None
    if seconds is None:
        raise InvalidRequest(where, f"expected {EXPECTED_TIME}, got {str(value)[:60]!r}.")
    return max(0.0, seconds)  # a date before 1970, or longer ago: nothing here is older


def _read_text(text: str, now: float | None) -> float | None:
    """Read a moment; a number with a unit is so long ago, and one alone may be a date without dashes."""
    ago = parse_duration(text) if text[-1:].isalpha() else None
    if ago is not None:
        return (time.time() if now is None else now) - ago
    date = parse_iso(text)
    return _number(text) if date is None else date


def _number(text: str) -> float | None:
    """Read a number of any notation; None where it is none, below zero or not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None
