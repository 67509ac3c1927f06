"""Values of a table's cells as a job takes them: what is missing is absent, and library scalars are Python's own."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import orjson

MISSING_KINDS = frozenset({"NAType", "NaTType"})  # pandas.NA and pandas.NaT, whose comparisons tell nothing


def is_missing(value: object) -> bool:
    """Whether a cell is empty: None, NaN, or pandas' NA and NaT.

    >>> [is_missing(value) for value in (None, float("nan"), 0, "", [])]
    [True, True, False, False, False]
    """
    if value is None or type(value).__name__ in MISSING_KINDS:
        return True
    return isinstance(value, float) and value != value  # noqa: PLR0124 - that is what NaN is


def plain(value: Any) -> Any:
    """Return a cell as Python's own type: numpy's scalars and arrays, Arrow's structs without their empty members.

    A column of structs fills in None for every member that any row has; a job never needs to be told of nothing.

    >>> plain({"role": "user", "content": "hi", "name": None})
    {'role': 'user', 'content': 'hi'}
    """
    if isinstance(value, Mapping):
        cleaned = {str(key): plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in cleaned.items() if not is_missing(inner)}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if hasattr(value, "tolist") and hasattr(value, "dtype"):  # numpy: a scalar's tolist() is the scalar
        return plain(value.tolist())
    if hasattr(value, "to_list"):  # a polars or pandas Series in a cell
        return plain(value.to_list())
    return value


def metadata_text(value: Any) -> str:
    """Write a cell as metadata, whose values are texts.

    >>> [metadata_text(value) for value in ("a", 3, True, dt.date(2026, 11, 30), {"k": [1]})]
    ['a', '3', 'true', '2026-11-30', '{"k":[1]}']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return str(value)
