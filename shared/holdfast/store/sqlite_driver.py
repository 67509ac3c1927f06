"""Statements given to SQLite's own driver: SQLAlchemy takes ten times as long over a short one as SQLite does.

Connections and the kinds of errors stay SQLAlchemy's. To Postgres every statement goes through it: there
its price is nothing beside the network, and a lost connection is its to notice.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, exc


def run(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Run a statement, and return its rows as named tuples. Raises what SQLAlchemy raises."""
    with told_by_sqlalchemy():
        cursor = _in_transaction(connection).execute(statement, parameters)
        if cursor.description is None:
            return ()
        row = _row_type(tuple(column[0] for column in cursor.description))
        return list(map(row._make, cursor))


def change(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> int:
    """Run a statement that returns no rows, and return how many it changed. Raises what SQLAlchemy raises."""
    with told_by_sqlalchemy():
        return _in_transaction(connection).execute(statement, parameters).rowcount


def commit(connection: Connection) -> None:
    """Commit a transaction, whoever began it. Raises what SQLAlchemy raises."""
    if connection.in_transaction():
        connection.commit()
        return
    with told_by_sqlalchemy():
        driver_of(connection).commit()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection."""
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@contextmanager
def told_by_sqlalchemy() -> Iterator[None]:
    """The driver's errors as those of SQLAlchemy, without parameters: they hold prompts, and errors are logged."""
    try:
        yield
    except sqlite3.Error as error:
        raise exc.DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True) from error


def _in_transaction(connection: Connection) -> sqlite3.Connection:
    """The same, in a transaction: only for statements of its own SQLAlchemy begins one by itself."""
    driver = driver_of(connection)
    if not driver.in_transaction:
        connection.begin()
    return driver


@cache
def _row_type(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", columns, rename=True)  # noqa: PYI024  the columns are known only now
