"""Stand-ins for tables of other libraries: what the client knows each by, and how each iterates when nobody asks."""

from collections.abc import Iterator
from typing import Any

Columns = dict[str, list[Any]]


class PandasFrame:
    """As pandas.DataFrame: iterating yields the names of columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.columns = list(columns)

    def itertuples(self, *, index: bool, name: str | None) -> Iterator[tuple[Any, ...]]:
        assert (index, name) == (False, None)
        return zip(*self._columns.values(), strict=True)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


class PolarsFrame:
    """As polars.DataFrame: iterating yields columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def iter_rows(self, *, named: bool) -> Iterator[dict[str, Any]]:
        assert named
        return rows(self._columns)

    def collect_schema(self) -> None: ...

    def __iter__(self) -> Iterator[list[Any]]:
        return iter(self._columns.values())


class LazyFrame:
    def collect_schema(self) -> None: ...


class ArrowBatch:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def to_pylist(self) -> list[dict[str, Any]]:
        return list(rows(self._columns))


class ArrowTable:
    """As pyarrow.Table: in pieces, and not iterable."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def to_batches(self) -> list[ArrowBatch]:
        return [ArrowBatch({name: [value] for name, value in row.items()}) for row in rows(self._columns)]


class DataSet:
    """As datasets.Dataset: its items are rows, with None for every member of a struct that another row has."""

    features: tuple[()] = ()

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.column_names = list(columns)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return rows(self._columns)


class DatasetDict(dict[str, DataSet]):
    column_names = num_rows = ()


class NAType:
    """As pandas.NA: a comparison with it is neither true nor false."""

    def __eq__(self, _other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


class Int64:
    """As a scalar of numpy, which JSON does not know."""

    dtype = "int64"

    def __init__(self, value: int) -> None:
        self._value = value

    def tolist(self) -> int:
        return self._value


def rows(columns: Columns) -> Iterator[dict[str, Any]]:
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))
