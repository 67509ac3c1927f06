"""What a program hands to ``submit``, as the items of one request: tables by their rows, iterables by their items."""

from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec

from holdfast.client.errors import InvalidJobs, JobProblem
from holdfast.client.row_reader import CONTENT, RowReader
from holdfast.client.row_sources import as_row, is_table, refuse_splits, rows_of
from holdfast.client.row_values import is_missing
from holdfast.client.submit_request import Item
from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Request

LINES = ("body", "params", "request")  # a mapping with one of these is a whole line, and no row


def read_input(jobs: object, reader: RowReader) -> tuple[list[Item], bool]:
    """Return the items of one submit, and whether they are many.

    Raises: TypeError: what has no rows; InvalidRequest: what is wrong with all rows; InvalidJobs: with some of them.
    """
    refuse_splits(jobs)
    if isinstance(jobs, str | Mapping | Request | bytes | msgspec.Raw):
        return read_all([jobs], reader, rows=reader.is_told), False
    rows, named = rows_of(jobs), is_table(jobs)
    if named:
        rows = demanded(rows, reader)
    return read_all(rows, reader, rows=named or reader.is_told), True


def demanded(rows: Iterator[Any], reader: RowReader) -> Iterator[object]:
    """Have the reader look at the columns of a table before any of its rows is read."""
    first = next(rows, None)
    if first is None:
        return iter(())
    reader.demand([str(name) for name in first])
    return chain([first], rows)


def read_all(items: Iterable[object], reader: RowReader, *, rows: bool) -> list[Item]:
    """Read every item. Raises InvalidJobs: all problems at once."""
    read, problems = list[Item](), list[JobProblem]()
    for index, item in enumerate(items):
        try:
            read.append(read_one(item, reader, row=rows))
        except InvalidRequest as error:
            problems.append(JobProblem(index, error.where, error.problem, error.hint))
    if problems:
        raise InvalidJobs(tuple(problems))
    return read


def read_one(item: Any, reader: RowReader, *, row: bool) -> Item:
    """Return one item as the port takes it. Raises InvalidRequest: a row that makes no job."""
    if isinstance(item, str | Request | bytes | msgspec.Raw):
        return item
    named = as_row(item)
    if named is None:
        return item  # type: ignore[no-any-return] # who reads the items refuses it, with all that is wrong with others
    if row or not isinstance(item, Mapping):
        job = reader.job(named)
        if not any(key in job for key in CONTENT):
            raise InvalidRequest("prompt", "is missing: the value is empty (None, NaN or NA).")
        return job
    if any(key in named for key in LINES) or not any(map(is_missing, named.values())):
        return named
    return {key: value for key, value in named.items() if not is_missing(value)}


async def gathered(jobs: object) -> object:
    """Return an asynchronous iterable's items as a list, and anything else as it is."""
    if isinstance(jobs, AsyncIterable) and not isinstance(jobs, Iterable):
        return [job async for job in jobs]
    return jobs
