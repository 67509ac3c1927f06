"""Where rows come from: DataFrames, Arrow tables, data sets, and any iterable of things with named values.

Nothing of pandas, polars, pyarrow or datasets is imported: each is known by what only it has. What holds rows but gives
none yet is refused with the call that makes rows of it.
"""

import io
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from holdfast.model.errors import InvalidRequest

Row = Mapping[str, Any]


class ArrowTable(Protocol):
    """A table of pyarrow, which is not iterable."""

    def to_batches(self) -> Iterable[Any]: ...


Rows = Iterable[object] | ArrowTable  # a DataFrame and a data set are iterable, whatever they yield then

NOT_YET_ROWS = (  # what only such an object has, its name, and the call that makes rows of it
    ("collect_schema", "a LazyFrame", "jobs.collect()"),
    ("toLocalIterator", "a Spark DataFrame", "(row.asDict() for row in jobs.toLocalIterator())"),
    ("fetch_arrow_table", "a DuckDB relation", "jobs.df()"),
    ("map_partitions", "a partitioned DataFrame", "jobs.compute()"),
    ("read_all", "a reader of Arrow batches", "jobs.read_all()"),
)
OTHER_TABLES = ("__dataframe__", "__arrow_c_stream__")  # the interchange protocols of data frames
COLUMNS = ("to_list", "to_pylist", "tolist")  # of a single column, which is an iterable of values


def rows_of(jobs: object) -> Iterator[object]:
    """Yield the rows of a table as mappings, and the items of any other iterable as they are.

    Raises: TypeError: it has no rows to be read; the sentence says which call makes some.
    """
    if is_table(jobs):
        return table_rows(jobs)
    refuse_rowless(jobs)
    values = jobs.to_pylist() if hasattr(jobs, "to_pylist") else jobs  # an Arrow array yields scalars of its own
    assert isinstance(values, Iterable)  # else it was refused
    return iter(values)


def is_table(jobs: object) -> bool:
    """Whether rows have named columns: a DataFrame, an Arrow table, or a data set."""
    kind = type(jobs)
    if hasattr(kind, "collect_schema") and not hasattr(kind, "iter_rows"):
        return False  # polars.LazyFrame
    named = any(hasattr(kind, method) for method in ("iter_rows", "itertuples", "to_batches", "to_struct_array"))
    return (named and not hasattr(kind, "map_partitions")) or is_data_set(jobs)


def is_data_set(jobs: object) -> bool:
    """Whether it is a Dataset or IterableDataset of the library ``datasets``, whose items are rows."""
    return hasattr(jobs, "features") and hasattr(jobs, "column_names") and not isinstance(jobs, Mapping)


def table_rows(table: Any) -> Iterator[Row]:
    """Yield the rows of a table, each as a mapping from the names of its columns."""
    kind = type(table)
    if hasattr(kind, "iter_rows"):  # polars
        yield from table.iter_rows(named=True)
    elif hasattr(kind, "itertuples"):  # pandas
        names = [str(name) for name in table.columns]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InvalidRequest("columns", f"the table has several columns called {twice!r}.", "Rename all but one.")
        for values in table.itertuples(index=False, name=None):
            yield dict(zip(names, values, strict=True))
    elif hasattr(kind, "to_batches"):  # pyarrow.Table
        for batch in table.to_batches():
            yield from batch.to_pylist()
    elif hasattr(kind, "to_struct_array"):  # pyarrow.RecordBatch
        yield from table.to_pylist()
    else:
        yield from table


def refuse_rowless(jobs: object) -> None:
    """Raise TypeError for what has no rows to be read, with the call that gives some."""
    kind = type(jobs)
    for mark, name, call in NOT_YET_ROWS:
        if hasattr(kind, mark):
            raise TypeError(f"submit() reads rows, and {name} has none yet: write submit({call}, ...)")
    if isinstance(jobs, Path):
        raise TypeError('submit() takes no path: write submit(open(path, "rb"), ...) for a file of JSON lines')
    if isinstance(jobs, io.TextIOBase):
        raise TypeError(
            "submit() cannot tell JSON lines from prompts in a file opened as text: open JSON lines with "
            'open(path, "rb"), and of a file with a prompt a line write submit(file.read().splitlines(), ...)'
        )
    if any(hasattr(kind, mark) for mark in OTHER_TABLES) and not any(hasattr(kind, one) for one in COLUMNS):
        raise TypeError(f"submit() cannot read the rows of a {kind.__name__}: write submit(jobs.to_pandas(), ...)")
    if not isinstance(jobs, Iterable):
        raise TypeError(iterable_wanted(jobs))


def iterable_wanted(jobs: object) -> str:
    """Say what to submit instead of something that is no iterable."""
    if isinstance(jobs, AsyncIterable):
        return "an asynchronous iterable is submitted by `await AsyncHoldfast().submit(...)`"
    if hasattr(jobs, "__await__"):
        return "submit() was given something to be awaited: write submit(await ..., ...)"
    return f"submit() takes a prompt, a dict, a Request, a table, or an iterable of them, not {type(jobs).__name__}"


def refuse_splits(jobs: object) -> None:
    """Raise TypeError for a DatasetDict, which is a mapping from the names of splits and no job."""
    if isinstance(jobs, Mapping) and hasattr(jobs, "column_names") and hasattr(jobs, "num_rows"):
        splits = ", ".join(map(repr, jobs))
        raise TypeError(
            f"a DatasetDict holds splits ({splits}), not rows: write submit(jobs[{next(iter(jobs))!r}], ...)"
        )


def as_row(item: object) -> Row | None:
    """Return the named values of an item: a mapping, named tuple, dataclass, model, or database row; None: none."""
    if isinstance(item, Mapping):
        return item
    for method in ("_asdict", "asDict", "model_dump"):  # named tuples and SQLAlchemy, Spark, pydantic
        if callable(make := getattr(item, method, None)):
            named = make()
            return named if isinstance(named, Mapping) else None
    if is_dataclass(item) and not isinstance(item, type):
        return {each.name: getattr(item, each.name) for each in fields(item)}
    if callable(keys := getattr(item, "keys", None)) and hasattr(
        item, "__getitem__"
    ):  # sqlite3, asyncpg, pandas.Series
        return {str(key): item[key] for key in keys()}
    return None
