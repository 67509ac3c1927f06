"""Statements as text, and everything in which SQLite and Postgres differ.

A statement is written once. Its rows travel as one JSON parameter, so its text never changes with their number, and
both databases plan it once. Marks in the text:

``$rows(id text, fence bigint)``  the columns of parameter ``rows`` (a list of lists) as a select
``in ($ids)``                     whether it is one of parameter ``ids`` (a list of strings)
``$skip_locked``                  leave out rows that another transaction holds
``$least(a, b)``                  the lesser of two figures
``$never``, ``$most_cost``, …     figures of ours: the date of a job without a deadline, and bounds

Rows that hold bytes cannot travel as JSON to SQLite, which has no way to read base64. They run row by row there, which
costs nothing where no network lies between: ``$rows`` then selects the parameters of one row.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from holdfast.model.job import TERMINAL
from holdfast.store.bounds import MOST_COST, MOST_COUNTED, MOST_TOKENS
from holdfast.store.micros import NEVER


@dataclass(frozen=True, slots=True)
class SqlDialect:
    """The SQL in which SQLite and Postgres differ.

    ``in_ids`` finds ids by an index, however the planner estimates: Postgres takes a select of unknown ids for half of
    the table, and reads all of it. ``bytes_of`` reads bytes out of JSON, where they travel as base64; None: rows with
    bytes run row by row.
    ``clock`` is a select; None: this process has the same clock. ``least`` is the name of that function.
    """

    name: str
    each_row: str
    in_ids: str
    bytes_of: str | None
    skip_locked: str
    clock: str | None
    least: str


SQLITE = SqlDialect(
    name="sqlite",
    each_row="json_each(:rows)",
    in_ids="in (select value from json_each(:ids))",
    bytes_of=None,
    skip_locked="",  # there is one writer at a time
    clock=None,
    least="min",
)
POSTGRES = SqlDialect(
    name="postgresql",
    each_row="jsonb_array_elements(cast(:rows as jsonb)) as each_row(value)",
    in_ids="= any(array(select jsonb_array_elements_text(cast(:ids as jsonb))))",
    bytes_of="decode({0}, 'base64')",
    skip_locked="for update skip locked",
    clock="select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
    least="least",
)
FIGURES = {
    "$never": NEVER, "$most_tokens": MOST_TOKENS, "$most_cost": MOST_COST, "$most_counted": MOST_COUNTED,
}  # fmt: skip

ENDED = ", ".join(sorted(f"'{state}'" for state in TERMINAL))  # the states of jobs that ended, for ``in (…)``

MARK = re.compile(r"\$rows\(([^)]*)\)|(in \(\$ids\)|\$skip_locked|\$least|\$never|\$most_[a-z]+)")
Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with marks in it."""

    template: str

    @property
    def columns(self) -> list[list[str]]:
        """Name and type of each column of ``$rows``."""
        found = MARK.search(self.template)
        return [column.split() for column in found[1].split(",")] if found and found[1] else []

    @property
    def has_bytes(self) -> bool:
        return " bytes" in self.template


@cache
def render(statement: Statement, dialect: SqlDialect) -> TextClause:
    """Return the statement in this dialect's SQL, for all rows at once."""
    read = ", ".join(_column(place, name, kind, dialect) for place, (name, kind) in enumerate(statement.columns))
    return text(_fill_marks(statement, dialect, f"select {read} from {dialect.each_row}"))  # noqa: S608 - all of it is ours


@cache
def render_by_row(statement: Statement, dialect: SqlDialect) -> tuple[str, tuple[str, ...]]:
    """Return the statement for one row, and the names of its columns, which are its parameters."""
    names = tuple(name for name, _ in statement.columns)
    return _fill_marks(statement, dialect, f"select {', '.join(f':{name} as {name}' for name in names)}"), names


def _fill_marks(statement: Statement, dialect: SqlDialect, rows: str) -> str:
    words = {"in ($ids)": dialect.in_ids, "$skip_locked": dialect.skip_locked, "$least": dialect.least}
    words |= {mark: str(figure) for mark, figure in FIGURES.items()}
    return MARK.sub(lambda mark: words[mark[2]] if mark[2] else rows, statement.template)


def _column(place: int, name: str, kind: str, dialect: SqlDialect) -> str:
    value = f"value->>{place}"
    if kind != "bytes":
        return f"cast({value} as {kind}) as {name}"
    if dialect.bytes_of is None:
        raise ValueError(f"column {name}: {dialect.name} takes bytes row by row")
    return f"{dialect.bytes_of.format(value)} as {name}"


def to_json(value: Any) -> str:
    """A parameter for ``$rows`` or ``$ids``; bytes become base64."""
    return orjson.dumps(value, default=_base64).decode()


def _base64(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no value of a row")
