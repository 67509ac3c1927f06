"""Options that say which jobs are meant, read into the store's filter."""

import functools
import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from typer import Option

from holdfast.cli.command import Function, keyword, with_parameters
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.fault import FaultKind

if TYPE_CHECKING:
    from holdfast.model.job import State
    from holdfast.model.records import JobFilter

    Where: TypeAlias = JobFilter
else:
    Where = object  # Typer reads annotations, and the records are slow to import

STATES = "queued|delayed|running|succeeded|dead|cancelled|expired"
STATE = Annotated[
    list[str] | None, Option("--state", help="Only jobs in this state; may be given again.", metavar=STATES)
]
ALL = Annotated[bool, Option("--all", help="All of them; without this a filter is needed.")]
FILTERS: dict[str, Any] = {
    "jobs": Annotated[list[str] | None, Option("--job", help="Only this job; may be given again.", metavar="JOB")],
    "lane": Annotated[str | None, Option(help="Only jobs of this lane.", metavar="MODEL.PRIORITY")],
    "model": Annotated[str | None, Option(help="Only jobs that asked for this model.", metavar="MODEL")],
    "batch": Annotated[str | None, Option(help="Only jobs of this batch.", metavar="BATCH")],
    "fault": Annotated[FaultKind | None, Option(help="Only those that died of this.", metavar="FAULT")],
    "cause": Annotated[
        str | None, Option(help="Only those that died of this cause, as `dlq groups` names it.", metavar="CAUSE")
    ],
    "after": Annotated[
        str | None, Option(help="Only those made after this: 90m, 2h, 7d ago, or ISO 8601.", metavar="TIME")
    ],
    "before": Annotated[str | None, Option(help="Only those made before this.", metavar="TIME")],
}


def job_filters(function: Function) -> Function:
    """Give a command the options that choose among all jobs; it gets a JobFilter as ``where``."""
    return _with_filters(function, FILTERS | {"states": STATE}, choose)


def dead_letter_filters(function: Function) -> Function:
    """Give a command the options that choose among dead letters; without one it gets all of them."""
    return _with_filters(function, FILTERS, functools.partial(dead, every=True))


def named_dead_letters(function: Function) -> Function:
    """Give a command that acts on dead letters the same options: nothing is meant unless one of them says so."""
    return _with_filters(function, FILTERS | {"every": ALL}, dead)


def _with_filters(function: Function, options: dict[str, Any], read: Callable[..., Where]) -> Function:
    @functools.wraps(function)
    def run(**given: Any) -> None:
        function(where=read(**{name: given.pop(name) for name in options}), **given)

    own = inspect.signature(function, eval_str=True)
    added = [keyword(name, note, default=False if note is ALL else None) for name, note in options.items()]
    return with_parameters(run, added + [each for name, each in own.parameters.items() if name != "where"])


def choose(
    *,
    states: list[str] | None = None,
    jobs: list[str] | None = None,
    lane: str | None = None,
    model: str | None = None,
    batch: str | None = None,
    fault: FaultKind | None = None,
    cause: str | None = None,
    after: str | None = None,
    before: str | None = None,
) -> Where:
    """Make the filter. Raises InvalidRequest, InvalidId."""
    from holdfast.model.ids import inner_id
    from holdfast.model.records import JobFilter

    return JobFilter(
        states=frozenset(read_state(state) for state in states) if states else None,
        ids=tuple(inner_id("job", job) for job in jobs) if jobs else None,
        lane=lane,
        model=model,
        batch=inner_id("batch", batch) if batch else None,
        fault=fault,
        cause=cause,
        created_after=read_time("--after", after),
        created_before=read_time("--before", before),
    )


def dead(*, every: bool, **given: object) -> Where:
    """Choose dead letters. Raises InvalidRequest where nothing says which."""
    if not every and not any(given.values()):
        raise InvalidRequest(
            "dlq",
            "no filter says which dead letters are meant.",
            "Give --job, --lane, --model, --batch, --fault, --cause, --after or --before, or --all.",
        )
    return choose(states=["dead"], **given)  # type: ignore[arg-type] # the options of choose, as they came


def read_state(name: str) -> "State":
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
    from holdfast.model.iso_time import parse_iso

    if text is None:
        return None
    ago = parse_duration(text) if text[-1:].isalpha() else None  # a number alone may be meant as a year
    if ago is not None:
        return (time.time() if now is None else now) - ago
    at = parse_iso(text)
    if at is None:
        raise InvalidRequest(option, f"expected 90m, 2h, 7d or an ISO 8601 date, got {text!r}.")
    return at
