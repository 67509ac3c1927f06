"""Queries of lists and bodies of bulk actions. An unknown name is an error, never a filter that is not there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from holdfast.client import list_filters as lists
from holdfast.client.list_filters import EXPECTED_TIME, ListFilter, ValueKind
from holdfast.model.bounds import MOST_TOKENS
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.model.storable import is_storable


def read_time(value: object) -> object:
    """Read a moment that is text; what is none is left to be refused as a number."""
    if isinstance(value, bool):
        raise ValueError(f"expected {EXPECTED_TIME}")  # noqa: TRY004  what pydantic reads as a refusal
    if not isinstance(value, str):
        return value
    try:
        return lists.read_time(value, "")
    except InvalidRequest:
        raise ValueError(f"expected {EXPECTED_TIME}") from None


def check_number(value: object) -> object:
    """Refuse what is a number only to Python: a boolean, or one in quotes."""
    if isinstance(value, bool | str):
        raise ValueError("expected a number")  # noqa: TRY004 - what pydantic takes for a refusal
    return value


def check_storable(text: str) -> str:
    """Refuse what no database could hold, and so nothing can be called."""
    if not is_storable(text):
        raise ValueError("expected Unicode text without NUL")
    return text


LAST = 253_402_300_800  # the end of the year 9999
WRITTEN_TIME: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": LAST},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[1-9][0-9]{0,5}(s|m|h|d)$"},
    ]
}
Number = BeforeValidator(check_number)
Time = Annotated[
    float, BeforeValidator(read_time), Field(ge=0, le=LAST, allow_inf_nan=False), WithJsonSchema(WRITTEN_TIME)
]
MOST_LETTERS = 10_000_000  # in one operation
PLAIN = r"^[^\x00]*$"
Name = Annotated[str, Field(max_length=300, pattern=PLAIN), AfterValidator(check_storable)]
TYPES: Mapping[ValueKind, Any] = {
    ValueKind.TIME: Time,
    ValueKind.JOB: Annotated[Name, Field(json_schema_extra={"pattern": "^job_[0-9a-f]{32}$"})],
    ValueKind.BATCH: Annotated[Name, Field(json_schema_extra={"pattern": "^batch_[0-9a-f]{32}$"})],
    **lists.CHOICES,
}
MOST_VALUES, MOST_WORDS = 1_000, 10  # of one filter: a URL has at most 65,535 bytes, and a word up to 3,600 of them
STRICT = ConfigDict(extra="forbid")


def filter_model(name: str, filters: Sequence[ListFilter]) -> type[BaseModel]:
    """Make the model of a query with these filters, all optional."""
    members: dict[str, Any] = {
        each.name: (_type(each), Field(default=None, description=each.about)) for each in filters
    }
    return create_model(name, __config__=STRICT, **members)


def _type(each: ListFilter) -> Any:
    kind, most = TYPES.get(each.kind, Name), MOST_WORDS if each.kind is ValueKind.TEXT else MOST_VALUES
    return Annotated[list[kind], Field(min_length=1, max_length=most)] | None if each.many else kind | None  # type: ignore[valid-type] # of the table


class PageQuery(BaseModel):
    """A page of a list. ``cursor`` is ``next`` of the page before."""

    model_config = STRICT

    limit: int = Field(default=50, ge=1, le=1_000)
    cursor: Name | None = None


class JobPage(PageQuery, filter_model("JobFilters", lists.JOBS)):  # type: ignore[misc] # made from the table
    """A page of jobs."""


if TYPE_CHECKING:
    DeadLetterFilters = BaseModel
else:
    DeadLetterFilters = filter_model("DeadLetterFilters", lists.DEAD_LETTERS)


class DeadLetterFilter(DeadLetterFilters):
    """Which dead letters."""

    def chosen(self) -> JobFilter:
        """Make the store's filter. Raises InvalidId."""
        return lists.job_filter(self.model_dump() | {"state": [State.DEAD]})


class DeadLetterPage(DeadLetterFilter, PageQuery):
    """A page of dead letters."""


class BatchPage(PageQuery, filter_model("BatchFilters", lists.BATCHES)):  # type: ignore[misc] # the same
    """A page of batches."""


class DeliveryPageQuery(PageQuery, filter_model("DeliveryFilters", lists.DELIVERIES)):  # type: ignore[misc] # the same
    """A page of deliveries."""

    limit: int = Field(default=100, ge=1, le=1_000)


class AlertPageQuery(PageQuery):
    """A page of alerts."""

    limit: int = Field(default=100, ge=1, le=1_000)


class AuditPageQuery(PageQuery, filter_model("AuditFilters", lists.AUDIT)):  # type: ignore[misc] # the same
    """A page of acts."""

    cursor: Annotated[str, Field(pattern=r"^act_[0-9]{1,15}$")] | None = None


class Edit(BaseModel):
    """What a replay changes of its jobs; null leaves it as it was."""

    model_config = STRICT

    model: Name | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS), Number] | None = None


UNFILTERED: dict[str, Any] = {
    **{each.name: {"type": "null"} for each in lists.DEAD_LETTERS},
    "all": {"const": False},
}


class Bulk(DeadLetterFilter):
    """A bulk action on dead letters. It needs a filter, or ``all``; without ``dry_run: false`` it only counts."""

    model_config = ConfigDict(json_schema_extra={"not": {"properties": UNFILTERED}})

    all: bool = Field(default=False, strict=True)
    dry_run: bool = Field(default=True, strict=True)
    limit: Annotated[int, Field(ge=1, le=MOST_LETTERS), Number] | None = Field(
        default=None, description="the most jobs, oldest first; null: all"
    )

    def dead(self) -> JobFilter:
        """Choose dead letters. Raises InvalidRequest where nothing says which."""
        where = self.chosen()
        if not self.all and where == JobFilter(states=where.states):
            names = "id, lane, model, batch, fault, tenant, created_* or finished_*"
            raise InvalidRequest("body", "no filter says which dead letters are meant.", f"Give {names}, or all: true.")
        return where


class Replay(Bulk):
    """``per_minute`` paces the start, so that a replay is not the next outage; null: as fast as the lanes drain."""

    per_minute: Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False), Number] | None = None
    edit: Edit = Field(default_factory=Edit)
