"""The connection of this process that writes to SQLite: kept open, and held by one transaction after the other.

To take a connection from SQLAlchemy's pool, to begin and to commit by it, and to give it back costs eight times what
SQLite takes for an empty transaction, which is what a submit of one job waits for most.
"""

import sqlite3
from threading import Lock
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, exc

from holdfast.store import sqlite_driver

BEGIN = "begin immediate"
BUSY_SECONDS = 10.0  # for which a locked file is waited for
LOCK_POLL_MIN, LOCK_POLL_MAX = 0.0005, 0.01  # seconds between two tries to get the lock,
LOCK_POLL_SHARE = 0.1  # as a share of how long it was waited for already
LONGEST_WAIT = 60.0  # seconds for a turn; who writes waits for a locked file a sixth of that


class SqliteWriter:
    """Safe to share between threads: ``with writer.begin() as connection`` is a transaction, one at a time.

    It is committed at the end, and rolled back by what is raised. Raises what SQLAlchemy raises.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._turn = engine, Lock()
        self._connection: Connection | None = None

    def begin(self) -> Self:
        return self

    def __enter__(self) -> Connection:
        if not self._turn.acquire(timeout=LONGEST_WAIT):
            raise exc.TimeoutError
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            begin_writing(self._connection)
        except BaseException:
            self._end_turn(is_kept=False)
            raise
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection
        is_kept = False
        try:
            if kind is None:
                sqlite_driver.commit(self._connection)
                is_kept = True
        finally:
            self._end_turn(is_kept=is_kept)

    def _end_turn(self, *, is_kept: bool) -> None:
        """Let the next one write. A connection that is not kept goes back to the pool, which rolls back."""
        try:
            if self._connection is not None and not is_kept:
                connection, self._connection = self._connection, None
                connection.close()
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give the connection back. Whoever writes at this moment keeps it until the process ends."""
        if self._turn.acquire(blocking=False):
            self._end_turn(is_kept=False)


def begin_writing(connection: Connection) -> None:
    """Take the file's lock, unless this connection has it: SQLAlchemy begins what has been begun past it.

    A deferred transaction that turns from reading to writing would fail at once. Raises what SQLAlchemy raises.
    """
    driver = sqlite_driver.driver_of(connection)
    if not driver.in_transaction:
        with sqlite_driver.told_by_sqlalchemy():
            execute_when_free(driver, BEGIN)


def execute_when_free(driver: sqlite3.Connection, statement: str) -> None:
    """Run a statement once nobody else has the file locked. Raises sqlite3's errors, "locked" after BUSY_SECONDS.

    SQLite's own way of waiting sleeps longer and longer, up to 0.1 s. Among processes that each write for a millisecond
    some would wait a hundred times as long as the lock was held; to ask often costs little. And it waits for no lock at
    all where it changes a file's way of journaling.
    """
    began = monotonic()
    while (waited := monotonic() - began) < BUSY_SECONDS:
        try:
            driver.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
        else:
            return
        sleep(min(max(waited * LOCK_POLL_SHARE, LOCK_POLL_MIN), LOCK_POLL_MAX))
    driver.execute(statement)  # once more, for an error that says what is wrong
