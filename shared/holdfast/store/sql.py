"""Statements as text, and everything in which SQLite and Postgres differ.

A statement is written once. Its rows travel as one JSON parameter, so its text never changes with their number, and
both databases plan it once. Marks in the text:

``$rows(id text, fence bigint)``  the columns of parameter ``rows`` (a list of lists) as a select
``$ids``                          the values of parameter ``ids`` (a list of strings) as a select
``$skip_locked``                  leave out rows that another transaction holds
``$never``                        the date of a job without a deadline
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text

from holdfast.store.micros import NEVER


@dataclass(frozen=True, slots=True)
class Tongue:
    """How one database says what the other says differently. Bytes cross JSON as base64; ``bytes_of`` reads it."""

    name: str
    each_row: str
    each_id: str
    bytes_of: str
    skip_locked: str
    clock: str | None  # None: this process shares the database's clock


SQLITE = Tongue(
    name="sqlite",
    each_row="json_each(:rows)",
    each_id="select value from json_each(:ids)",
    bytes_of="from_base64({0})",  # registered on each connection
    skip_locked="",  # there is one writer at a time
    clock=None,
)
POSTGRES = Tongue(
    name="postgresql",
    each_row="jsonb_array_elements(cast(:rows as jsonb)) as each_row(value)",
    each_id="select value from jsonb_array_elements_text(cast(:ids as jsonb)) as each_id(value)",
    bytes_of="decode({0}, 'base64')",
    skip_locked="for update skip locked",
    clock="select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
)

MARK = re.compile(r"\$rows\(([^)]*)\)|\$(ids|skip_locked|never)\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with marks in it."""

    template: str


@cache
def spoken(statement: Statement, tongue: Tongue) -> TextClause:
    """The statement as ``tongue`` says it."""
    words = {"ids": tongue.each_id, "skip_locked": tongue.skip_locked, "never": str(NEVER)}

    def said(mark: re.Match[str]) -> str:
        return words[mark[2]] if mark[2] else _rows(mark[1], tongue)

    return text(MARK.sub(said, statement.template))


def _rows(columns: str, tongue: Tongue) -> str:
    pairs = [column.split() for column in columns.split(",")]
    read = ", ".join(_column(place, name, kind, tongue) for place, (name, kind) in enumerate(pairs))
    return f"select {read} from {tongue.each_row}"  # noqa: S608 - the text is ours


def _column(place: int, name: str, kind: str, tongue: Tongue) -> str:
    value = f"value->>{place}"
    read = tongue.bytes_of.format(value) if kind == "bytes" else f"cast({value} as {kind})"
    return f"{read} as {name}"


Rows = list[list[Any]]
