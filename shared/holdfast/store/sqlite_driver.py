"""Statements given to SQLite's own driver: SQLAlchemy takes ten times as long over a short one as SQLite does.

Connections and the kinds of errors stay SQLAlchemy's. To Postgres every statement goes through it: there
its price is nothing beside the network, and a lost connection is its to notice.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, exc

ROW_TYPES: dict[str, Any] = {}  # by statement, of which there are as many as stand in the program


def run(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Run a statement, and return its rows as named tuples. Raises what SQLAlchemy raises."""
    try:
        cursor = _in_transaction(connection).execute(statement, parameters)
        row = ROW_TYPES.get(statement) or _learn_row_type(statement, cursor)
        return () if row is None else list(map(row._make, cursor))
    except sqlite3.Error as error:
        raise in_sqlalchemy(error) from error


def change(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> int:
    """Run a statement that returns no rows, and return how many it changed. Raises what SQLAlchemy raises."""
    try:
        return _in_transaction(connection).execute(statement, parameters).rowcount
    except sqlite3.Error as error:
        raise in_sqlalchemy(error) from error


def commit(connection: Connection) -> None:
    """Commit a transaction, whoever began it. Raises what SQLAlchemy raises."""
    if connection.in_transaction():
        connection.commit()
        return
    with told_by_sqlalchemy():
        driver_of(connection).commit()


def roll_back(connection: Connection) -> None:
    """Undo a transaction, whoever began it. Raises what SQLAlchemy raises."""
    if connection.in_transaction():
        connection.rollback()
        return
    with told_by_sqlalchemy():
        driver_of(connection).rollback()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection."""
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@contextmanager
def told_by_sqlalchemy() -> Iterator[None]:
    """The driver's errors as those of SQLAlchemy. It costs as much as a short statement: those do without it."""
    try:
        yield
    except sqlite3.Error as error:
        raise in_sqlalchemy(error) from error


def in_sqlalchemy(error: sqlite3.Error) -> BaseException:
    """Return the same error of SQLAlchemy, without parameters: they hold prompts, and errors are logged."""
    return exc.DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True)


def _in_transaction(connection: Connection) -> sqlite3.Connection:
    """The same, in a transaction: only for statements of its own SQLAlchemy begins one by itself."""
    driver = driver_of(connection)
    if not driver.in_transaction:
        connection.begin()
    return driver


def _learn_row_type(statement: str, cursor: sqlite3.Cursor) -> Any:
    """Return what a row of a statement becomes; None: it returns none."""
    if cursor.description is None:
        return None
    columns = [column[0] for column in cursor.description]
    found = ROW_TYPES[statement] = namedtuple("Row", columns, rename=True)  # noqa: PYI024  they are known only now
    return found
