"""Connections of this process that read SQLite: kept open, so that a look costs what SQLite takes for it.

To take a connection from SQLAlchemy's pool, to begin by it, and to give it back costs several times a look at one job,
of which every waiting call takes two.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection, Engine

from holdfast.store import sqlite_driver

BEGIN = "begin"
MOST_KEPT = 4  # connections that are kept for the next look; others go back to the engine's pool


class SqliteReader:
    """Safe to share between threads: ``with reader.begin() as connection`` is a look, and many may be open at a time.

    All of a look's statements see one snapshot. Raises what SQLAlchemy raises.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept = deque[Connection]()
        self._lock = Lock()  # no more than MOST_KEPT are: somebody may wait for one that goes back

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        connection = self._take()
        try:
            begin_reading(connection)
            yield connection
            sqlite_driver.roll_back(connection)
        except BaseException:
            connection.close()
            raise
        self._keep(connection)

    def close(self) -> None:
        """Give back the connections that nobody reads from."""
        while self._kept:
            self._kept.pop().close()

    def _take(self) -> Connection:
        try:
            return self._kept.pop()
        except IndexError:
            return self._engine.connect()

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if is_kept := len(self._kept) < MOST_KEPT:
                self._kept.append(connection)
        if not is_kept:
            connection.close()


def begin_reading(connection: Connection) -> None:
    """Begin a look, unless this connection is at one: SQLAlchemy begins what has been begun past it."""
    driver = sqlite_driver.driver_of(connection)
    if not driver.in_transaction:
        with sqlite_driver.told_by_sqlalchemy():
            driver.execute(BEGIN)
