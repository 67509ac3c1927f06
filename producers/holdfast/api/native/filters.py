"""Which jobs a list or a bulk action means. An unknown name is an error, never a filter that is not there."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from holdfast.model.errors import InvalidRequest
from holdfast.model.fault import FaultKind
from holdfast.model.ids import inner_id
from holdfast.model.iso_time import parse_iso
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.model.storable import is_storable


def read_time(value: object) -> object:
    """Read a time: seconds since the epoch, or ISO 8601, UTC where no zone is named."""
    if not isinstance(value, str):
        return value
    with suppress(ValueError):
        return float(value)
    if (seconds := parse_iso(value)) is None:
        raise ValueError("expected ISO 8601, or seconds since the epoch")
    return max(0.0, seconds)  # nothing here is older


def check_storable(text: str) -> str:
    """Refuse what no database could hold, and so nothing can be called."""
    if not is_storable(text):
        raise ValueError("expected Unicode text without NUL")
    return text


LAST = 253_402_300_800  # the end of the year 9999
Time = Annotated[
    float,
    BeforeValidator(read_time),
    Field(ge=0, le=LAST, allow_inf_nan=False, description="ISO 8601, or seconds since the epoch"),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": LAST}, {"type": "string", "format": "date-time"}]}
    ),
]
MOST_LETTERS = 10_000_000  # in one operation
MOST_TOKENS = 10_000_000  # of an answer; far beyond any model
PLAIN = r"^[^\x00]*$"
Name = Annotated[str, Field(max_length=300, pattern=PLAIN), AfterValidator(check_storable)]


class Filter(BaseModel):
    """Every field narrows."""

    model_config = ConfigDict(extra="forbid")

    id: list[str] | None = Field(default=None, min_length=1, max_length=1_000)
    tenant: Name | None = None
    model: Name | None = None
    lane: Name | None = None
    batch: Name | None = None
    custom_id: Name | None = None
    fault: FaultKind | None = None
    cause: Annotated[str, Field(max_length=16, pattern=PLAIN)] | None = None
    created_after: Time | None = None
    created_before: Time | None = None
    finished_after: Time | None = None
    finished_before: Time | None = None

    def choose(self, states: frozenset[State] | None) -> JobFilter:
        """Make the store's filter. Raises InvalidId."""
        return JobFilter(
            tenant=self.tenant,
            states=states,
            model=self.model,
            lane=self.lane,
            batch=inner_id("batch", self.batch) if self.batch is not None else None,
            custom_id=self.custom_id,
            fault=self.fault,
            cause=self.cause,
            ids=tuple(inner_id("job", id_) for id_ in self.id) if self.id else None,
            created_after=self.created_after,
            created_before=self.created_before,
            finished_after=self.finished_after,
            finished_before=self.finished_before,
        )


class Page(Filter):
    """A page of jobs. ``cursor`` is ``next`` of the page before."""

    limit: int = Field(default=50, ge=1, le=1_000)
    cursor: Name | None = None


class JobPage(Page):
    state: list[State] | None = None


class BatchPage(BaseModel):
    """A page of batches, of one tenant where it is named."""

    model_config = Filter.model_config

    tenant: Name | None = None
    limit: int = Field(default=50, ge=1, le=1_000)
    cursor: Name | None = None


class Edit(BaseModel):
    """What a replay changes of its jobs; null leaves it as it was."""

    model_config = Filter.model_config

    model: Name | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)


NARROWING = tuple(Filter.model_fields)
UNFILTERED: dict[str, Any] = {**{name: {"type": "null"} for name in NARROWING}, "all": {"const": False}}


class Bulk(Filter):
    """A bulk action on dead letters. It needs a filter, or ``all``; without ``dry_run: false`` it only counts."""

    model_config = ConfigDict(json_schema_extra={"not": {"properties": UNFILTERED}})

    all: bool = Field(default=False, strict=True)
    dry_run: bool = Field(default=True, strict=True)
    limit: int | None = Field(default=None, ge=1, le=MOST_LETTERS, description="the most jobs, oldest first; null: all")

    def dead(self) -> JobFilter:
        """Choose dead letters. Raises InvalidRequest where nothing says which."""
        where = self.choose(frozenset({State.DEAD}))
        if not self.all and where == JobFilter(states=where.states):
            names = "id, lane, model, batch, fault, tenant, created_* or finished_*"
            raise InvalidRequest("body", "no filter says which dead letters are meant.", f"Give {names}, or all: true.")
        return where


class Replay(Bulk):
    """``per_minute`` paces the start, so that a replay is not the next outage; null: as fast as the lanes drain."""

    per_minute: float | None = Field(default=None, ge=0.001, le=1e9, allow_inf_nan=False)
    edit: Edit = Field(default_factory=Edit)
