"""Options that say which jobs are meant, read into the store's filter."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from typer import Option

from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.fault import FaultKind

if TYPE_CHECKING:
    from holdfast.model.records import JobFilter

    Where: TypeAlias = JobFilter
else:
    Where = object  # Typer reads annotations, and the records are slow to import

STATES = "queued|delayed|running|succeeded|dead|cancelled|expired"

States = Annotated[
    list[str] | None, Option("--state", help="Only jobs in this state; may be given again.", metavar=STATES)
]
Jobs = Annotated[list[str] | None, Option("--job", help="Only this job; may be given again.", metavar="JOB")]
Lane = Annotated[str | None, Option(help="Only jobs of this lane.", metavar="MODEL.PRIORITY")]
Model = Annotated[str | None, Option(help="Only jobs that asked for this model.", metavar="MODEL")]
Batch = Annotated[str | None, Option(help="Only jobs of this batch.", metavar="BATCH")]
Fault = Annotated[FaultKind | None, Option(help="Only those that died of this.", metavar="FAULT")]
After = Annotated[str | None, Option(help="Only those made after this: 90m, 2h, 7d ago, or ISO 8601.", metavar="TIME")]
Before = Annotated[str | None, Option(help="Only those made before this.", metavar="TIME")]
Every = Annotated[bool, Option("--all", help="All of them; without this a filter is needed.")]

FILTERS: Mapping[str, Any] = {
    "jobs": Jobs,
    "lane": Lane,
    "model": Model,
    "batch": Batch,
    "fault": Fault,
    "after": After,
    "before": Before,
}


def chosen(
    function: Callable[..., None], *, more: Mapping[str, Any], read: Callable[..., object]
) -> Callable[..., None]:
    """Give a command the filter options and ``more``; it gets what ``read`` makes of them as ``where``."""
    options = {**FILTERS, **more}

    @functools.wraps(function)
    def run(**given: Any) -> None:
        filters = {name: given.pop(name) for name in options}
        function(where=read(**filters), **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    own = inspect.signature(function, eval_str=True)
    kept = [each.replace(kind=kind) for name, each in own.parameters.items() if name != "where"]
    added = [
        inspect.Parameter(name, kind, default=False if note is Every else None, annotation=note)
        for name, note in options.items()
    ]
    run.__signature__ = own.replace(parameters=[*added, *kept])  # type: ignore[attr-defined]
    return run


def filtered(function: Callable[..., None]) -> Callable[..., None]:
    """``where`` chooses among all jobs."""
    return chosen(function, more={"states": States}, read=choose)


def any_dead(function: Callable[..., None]) -> Callable[..., None]:
    """``where`` chooses among dead letters; without options all of them."""
    return chosen(function, more={}, read=functools.partial(dead, every=True))


def named_dead(function: Callable[..., None]) -> Callable[..., None]:
    """``where`` chooses dead letters to act on: nothing is meant unless something says so."""
    return chosen(function, more={"every": Every}, read=dead)


def choose(
    *,
    states: list[str] | None = None,
    jobs: list[str] | None = None,
    lane: str | None = None,
    model: str | None = None,
    batch: str | None = None,
    fault: FaultKind | None = None,
    after: str | None = None,
    before: str | None = None,
) -> Where:
    """Make the filter. Raises InvalidRequest, InvalidId."""
    from holdfast.model.ids import inner_id
    from holdfast.model.records import JobFilter

    return JobFilter(
        states=frozenset(read_state(state) for state in states) if states else None,  # type: ignore[misc]
        ids=tuple(inner_id("job", job) for job in jobs) if jobs else None,
        lane=lane,
        model=model,
        batch=inner_id("batch", batch) if batch else None,
        fault=fault,
        created_after=read_time("--after", after),
        created_before=read_time("--before", before),
    )


def dead(*, every: bool, **given: object) -> Where:
    """Choose dead letters. Raises InvalidRequest where nothing says which."""
    if not every and not any(given.values()):
        raise InvalidRequest(
            "dlq",
            "no filter says which dead letters are meant.",
            "Give --job, --lane, --model, --batch, --fault, --after or --before, or --all.",
        )
    return choose(states=["dead"], **given)  # type: ignore[arg-type] # the options of choose, as they came


def read_state(name: str) -> object:
    from holdfast.model.job import State

    try:
        return State(name)
    except ValueError:
        raise InvalidRequest("--state", f"expected {' or '.join(State)}, got {name!r}.") from None


def read_time(option: str, text: str | None, now: float | None = None) -> float | None:
    """Read a time as seconds since the epoch: so long ago, or a date (UTC where it names no zone).

    >>> read_time("--after", "90m", now=10_000.0), read_time("--after", "1970-01-02")
    (4600.0, 86400.0)
    """
    if text is None:
        return None
    ago = parse_duration(text) if text[-1:].isalpha() else None  # a number alone may be meant as a year
    if ago is not None:
        return (time.time() if now is None else now) - ago
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(option, f"expected 90m, 2h, 7d or an ISO 8601 date, got {text!r}.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
