"""Statements as text, and everything in which SQLite and Postgres differ.

A statement is written once. Its rows travel as one JSON parameter, so its text never changes with their number, and
both databases plan it once. Marks in the text:

``$rows(id text, fence bigint)``  the columns of parameter ``rows`` (a list of lists) as a select
``in ($ids)``                     whether it is one of parameter ``ids`` (a list of strings)
``$skip_locked``                  leave out rows that another transaction holds
``$least(a, b)``                  the lesser of two figures
``cast(a as $json)``               a text that holds JSON, to take members out of it with ``->>``
``$never``, ``$most_cost``, …     figures of ours: the date of a job without a deadline, and bounds

Beside ids a state is asked for as ``state || '' = 'queued'``: no index serves that, so rows are looked up by their ids.
While a database has no statistics it takes a partial index for empty, and would read all of it beside a few ids.

SQLite has no way to read base64: there the bytes of all rows travel joined as parameter ``bytes``, and each row says
where its own lie.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from holdfast.model.bounds import MOST_COST, MOST_COUNTED, MOST_TOKENS
from holdfast.model.job import TERMINAL
from holdfast.store.micros import NEVER


@dataclass(frozen=True, slots=True)
class SqlDialect:
    """The SQL in which SQLite and Postgres differ.

    ``in_ids`` finds ids by an index, however the planner estimates: Postgres takes a select of unknown ids for half of
    the table, and reads all of it. ``bytes_of`` reads the bytes that a value of a row stands for.
    ``clock`` is a select; None: this process has the same clock. ``least`` is the name of that function, and ``json``
    that of the type out of which ``->>`` takes members.
    """

    name: str
    each_row: str
    in_ids: str
    bytes_of: str
    skip_locked: str
    clock: str | None
    least: str
    json: str


SQLITE = SqlDialect(
    name="sqlite",
    each_row="json_each(:rows)",
    in_ids="in (select value from json_each(:ids))",
    bytes_of="substr(:bytes, {0}->>0, {0}->>1)",
    skip_locked="",  # there is one writer at a time
    clock=None,
    least="min",
    json="text",
)
POSTGRES = SqlDialect(
    name="postgresql",
    each_row="jsonb_array_elements(cast(:rows as jsonb)) as each_row(value)",
    in_ids="= any(array(select jsonb_array_elements_text(cast(:ids as jsonb))))",
    bytes_of="decode({0}, 'base64')",
    skip_locked="for update skip locked",
    clock="select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
    least="least",
    json="jsonb",
)
FIGURES = {
    "$never": NEVER, "$most_tokens": MOST_TOKENS, "$most_cost": MOST_COST, "$most_counted": MOST_COUNTED,
}  # fmt: skip

ENDED = ", ".join(sorted(f"'{state}'" for state in TERMINAL))  # the states of jobs that ended, for ``in (…)``

MARK = re.compile(r"\$rows\(([^)]*)\)|(in \(\$ids\)|\$skip_locked|\$least|\$json|\$never|\$most_[a-z]+)")
Rows = list[list[Any]]
NO_BYTES = b"\0"  # where all bytes are empty: of nothing at all, SQLite takes no part


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


def _fill_marks(statement: Statement, dialect: SqlDialect, rows: str) -> str:
    words = {
        "in ($ids)": dialect.in_ids,
        "$skip_locked": dialect.skip_locked,
        "$least": dialect.least,
        "$json": dialect.json,
    }
    words |= {mark: str(figure) for mark, figure in FIGURES.items()}
    return MARK.sub(lambda mark: words[mark[2]] if mark[2] else rows, statement.template)


def _column(place: int, name: str, kind: str, dialect: SqlDialect) -> str:
    value = f"value->>{place}"
    return f"{dialect.bytes_of.format(value) if kind == 'bytes' else f'cast({value} as {kind})'} as {name}"


def to_json(value: Any) -> str:
    """A parameter for ``$rows`` or ``$ids``; bytes become base64."""
    return orjson.dumps(value, default=_base64).decode()


def _base64(value: Any) -> str:
    return b64encode(_demand_bytes(value)).decode()


def join_bytes(rows: Rows) -> tuple[str, bytes]:
    """Parameters ``rows`` and ``bytes`` for SQLite: in a row, bytes become their place among all, from 1, and length.

    >>> join_bytes([["a", b"one"], ["b", None], ["c", b"three"]])
    ('[["a",[1,3]],["b",null],["c",[4,5]]]', b'onethree')
    """
    parts, size = list[bytes](), 0

    def place(value: Any) -> tuple[int, int]:
        nonlocal size
        parts.append(_demand_bytes(value))
        size += len(value)
        return size - len(value) + 1, len(value)

    written = orjson.dumps(rows, default=place).decode()
    return written, b"".join(parts) or NO_BYTES


def in_parts(rows: Rows, most: int) -> Iterator[Rows]:
    """Cut rows so that the bytes of a part are about ``most`` at the most, or a single row's."""
    part, size = Rows(), 0
    for row in rows:
        part.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if size >= most:
            yield part
            part, size = Rows(), 0
    if part:
        yield part


def _demand_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    raise TypeError(f"{type(value).__name__} is no value of a row")
