"""Options that say what of a list is meant: made from the table of filters, and read into the store's records."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

from typer import Option

from holdfast.cli.command import Function, keyword, with_parameters
from holdfast.client.list_filters import (
    AUDIT,
    BATCHES,
    CHOICES,
    DEAD_LETTERS,
    DELIVERIES,
    EVENTS,
    JOBS,
    ListFilter,
    ValueKind,
    audit_filter,
    batch_filter,
    delivery_filter,
    event_filter,
    job_filter,
)
from holdfast.model.errors import InvalidRequest

if TYPE_CHECKING:
    from holdfast.model.event import EventFilter
    from holdfast.model.records import AuditFilter, BatchFilter, JobFilter
    from holdfast.model.webhook import DeliveryFilter

    Where: TypeAlias = JobFilter
    BatchWhere: TypeAlias = BatchFilter
    EventWhere: TypeAlias = EventFilter
    DeliveryWhere: TypeAlias = DeliveryFilter
    AuditWhere: TypeAlias = AuditFilter
else:
    Where = BatchWhere = EventWhere = DeliveryWhere = AuditWhere = (
        object  # Typer reads annotations; records are slow to import
    )

ALL = Annotated[bool, Option("--all", help="All of them; without this a filter is needed.")]
FEW = 8  # values that a line of help has room for
RELEASED = "released_"  # begins the parameter of an option's older name
T = TypeVar("T")


def option_of(each: ListFilter) -> str:
    """Call a filter as commands do."""
    return each.option


def job_filters(function: Function) -> Function:
    """Give a command the options that choose among all jobs; it gets a JobFilter as ``where``."""
    return _with_filters(function, JOBS, functools.partial(job_filter, named=option_of))


def dead_letter_filters(function: Function) -> Function:
    """Give a command the options that choose among dead letters; without one it gets all of them."""
    return _with_filters(function, DEAD_LETTERS, dead)


def named_dead_letters(function: Function) -> Function:
    """Give a command that acts on dead letters the same options: nothing is meant unless one of them says so."""

    @functools.wraps(function)
    def named(*, every: bool, where: Where, **given: Any) -> None:
        demand_filter(where, every=every)
        function(where=where, **given)

    own = inspect.signature(function, eval_str=True).parameters.values()
    with_all = with_parameters(named, [*own, keyword("every", ALL, default=False)])
    return _with_filters(with_all, DEAD_LETTERS, dead)


def batch_filters(function: Function) -> Function:
    """Give a command the options that choose among batches; it gets a BatchFilter as ``where``."""
    return _with_filters(function, BATCHES, functools.partial(batch_filter, named=option_of))


def event_filters(function: Function) -> Function:
    """Give a command the options that choose among events; it gets an EventFilter as ``where``."""
    return _with_filters(function, EVENTS, functools.partial(event_filter, named=option_of))


def delivery_filters(function: Function) -> Function:
    """Give a command the options that choose among deliveries; it gets a DeliveryFilter as ``where``."""
    return _with_filters(function, DELIVERIES, functools.partial(delivery_filter, named=option_of))


def audit_filters(function: Function) -> Function:
    """Give a command the options that choose among acts; it gets an AuditFilter as ``where``."""
    return _with_filters(function, AUDIT, functools.partial(audit_filter, named=option_of))


def _with_filters(
    function: Function, filters: Sequence[ListFilter], read: Callable[[Mapping[str, Any]], T]
) -> Function:
    @functools.wraps(function)
    def run(**given: Any) -> None:
        values = {each.name: _given(each, given) for each in filters}
        function(where=read(values), **given)

    own = inspect.signature(function, eval_str=True).parameters
    added = [keyword(each.name, _option(each)) for each in filters]
    added += [keyword(RELEASED + each.name, _option(each, each.released)) for each in filters if each.released]
    return with_parameters(run, added + [each for name, each in own.items() if name != "where"])


def _given(each: ListFilter, given: dict[str, Any]) -> Any:
    """Take what was given under an option's name, or under the one that it had before."""
    value, before = given.pop(each.name), given.pop(RELEASED + each.name, None)
    if each.many:
        return [*(value or ()), *(before or ())] or None
    return before if value is None else value


def _option(each: ListFilter, released: str | None = None) -> Any:
    hint = {ValueKind.TIME: " 2h ago, or a date."}.get(each.kind, "")
    again = " May be given again." if each.many else hint
    of_kind = CHOICES.get(each.kind, ())
    metavar = "|".join(of_kind) if 0 < len(of_kind) < FEW else each.kind.value
    option = Option(released or each.option, help=each.about + again, metavar=metavar, hidden=released is not None)
    return Annotated[list[str] | None, option] if each.many else Annotated[str | None, option]


def dead(given: Mapping[str, Any]) -> Where:
    """Choose among dead letters. Raises InvalidRequest, InvalidId."""
    return job_filter({**given, "state": ["dead"]}, option_of)


def demand_filter(where: Where, *, every: bool) -> None:
    """Raise InvalidRequest where nothing says which dead letters are meant."""
    if not every and where == dead({}):
        options = ", ".join(each.option for each in DEAD_LETTERS)
        raise InvalidRequest("dlq", "no filter says which dead letters are meant.", f"Give {options}, or --all.")
