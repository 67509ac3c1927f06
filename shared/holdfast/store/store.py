"""The store: transactions of the SQL database. What is asked and changed stands in the modules beside this one."""

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, exc

from holdfast.model.errors import SchemaBehind, StorageUnavailable
from holdfast.store import migrations
from holdfast.store.engine import make_directory, open_engines, read_url, show_url
from holdfast.store.micros import to_seconds
from holdfast.store.sql import POSTGRES, SQLITE
from holdfast.store.sqlite_reader import SqliteReader
from holdfast.store.sqlite_writer import SqliteWriter
from holdfast.store.transaction import Transaction
from holdfast.testing import PRODUCTION, Runtime

P = ParamSpec("P")
T = TypeVar("T")
SHARDS = 16
TRIES = 4  # of a transaction that lost a deadlock, or found that its pooled connection was dead
LOOKS = 25  # at an upgrade that is under way, before a schema is called behind: the tables of a new one take seconds
CONTENT_CLASSES = frozenset({"22", "54"})  # of PostgreSQL, appendix A: data exception, program limit exceeded
RETRIED_STATES = frozenset({"40001", "40P01"})  # serialization failure, deadlock


class Store:
    """Jobs in SQL. ``url`` is ``sqlite:///FILE`` or ``postgresql://…``; nothing is opened before the first use.

    The functions of this package that take a ``Transaction`` first are what it answers and does:
    ``store.read(find_job, id)``, ``store.write(cancel_job, id, tenant)``. Safe to share between
    threads. Every method raises StorageUnavailable when the database does not answer; then nothing of it was done.

    ``tell_ended`` is called with the ids of jobs that a transaction has ended, after its commit.
    """

    def __init__(self, url: str, runtime: Runtime = PRODUCTION) -> None:
        self._runtime = runtime
        self._url = read_url(url)
        self.url = show_url(self._url)  # where this is, without the password
        self.dialect = SQLITE if self._url.get_backend_name() == "sqlite" else POSTGRES
        self._shard = 0 if self.dialect is SQLITE else random.randrange(SHARDS)  # noqa: S311 - it spreads rows, it guards nothing
        self._writer, self._reader = open_engines(self._url)
        self._sqlite_writer = SqliteWriter(self._writer) if self.dialect is SQLITE else None
        self._sqlite_reader = SqliteReader(self._reader) if self.dialect is SQLITE else None
        self._begin = self._sqlite_writer.begin if self._sqlite_writer else self._writer.begin
        self._look = self._sqlite_reader.begin if self._sqlite_reader else self._reader.connect
        make_directory(self._url)
        self.tell_ended: Callable[[Sequence[str]], None] = lambda _jobs: None

    def read(self, question: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return ``question(transaction, *args, **kwargs)``, asked on one snapshot; nothing it does is kept."""

        def ask() -> T:
            with self._look() as connection:
                return question(Transaction(connection, self.dialect, self._shard, self._runtime), *args, **kwargs)

        return self._run(ask)

    def write(self, change: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return ``change(transaction, *args, **kwargs)`` once it is committed; what raises is rolled back.

        It runs again where the database undid it, and so must bear repetition.
        """

        def make() -> tuple[T, list[str]]:
            with self._begin() as connection:
                transaction = Transaction(connection, self.dialect, self._shard, self._runtime)
                answer = change(transaction, *args, **kwargs)
                transaction.flush()
                return answer, transaction.ended_jobs

        answer, ended = self._run(make)
        if ended:
            self.tell_ended(ended)
        return answer

    @property
    def is_file(self) -> bool:
        """Whether it is a file of this machine: a look at a job takes less than the way to a thread and back."""
        return self.dialect is SQLITE

    def now(self) -> float:
        """Return the time by the database's clock, in seconds since the epoch."""
        return self.read(lambda tx: to_seconds(tx.now))

    def ping(self) -> None:
        """Raise StorageUnavailable unless the database answers."""
        self.read(lambda tx: tx.connection.exec_driver_sql("select 1"))

    def upgrade(self) -> None:
        """Bring the schema to the newest revision, while others work on it."""
        self.alter(migrations.upgrade)

    def ensure(self) -> None:
        """Make the tables where there are none, and bring a SQLite file up to date. Quick where nothing is to be done.

        Raises SchemaBehind: a Postgres, which others may be using, is upgraded when an operator says so.
        """
        found, floor = self.read(lambda tx: migrations.read_revisions(tx.connection))
        migrations.refuse_newer(found, floor)
        if found is not None and found < migrations.HEAD and self.dialect is POSTGRES:
            found = self._revision_after_upgrade(found)
            if found < migrations.HEAD:
                raise SchemaBehind(self.url, found, migrations.HEAD)
        if found is None or found < migrations.HEAD:
            self.upgrade()

    def _revision_after_upgrade(self, found: str) -> str:
        """Wait some seconds for whoever is upgrading, if somebody is.

        Processes that start together find a new database half made by the first of them.
        """
        looks = iter(range(LOOKS))
        while (
            found < migrations.HEAD
            and self.read(lambda tx: migrations.is_upgrading(tx.connection))
            and next(looks, None) is not None
        ):
            time.sleep(migrations.TRY_AGAIN)
            found = self.read(lambda tx: migrations.read_revisions(tx.connection))[0] or found
        return found

    def alter(self, change: Callable[[Engine], None]) -> None:
        """Make a change of the schema, which opens connections of its own. It may run again, and must bear it."""
        self._run(lambda: change(self._writer))

    def close(self) -> None:
        if self._sqlite_writer:
            self._sqlite_writer.close()
        if self._sqlite_reader:
            self._sqlite_reader.close()
        self._writer.dispose()
        self._reader.dispose()

    def _run(self, work: Callable[[], T]) -> T:
        for tries_left in reversed(range(TRIES)):
            try:
                return work()
            except exc.DBAPIError as error:
                if not _is_away(error):
                    raise
                if not (tries_left and _may_repeat(error)):
                    raise StorageUnavailable(self.url, _why(error)) from error
            except exc.TimeoutError as error:
                raise StorageUnavailable(self.url, "every connection is in use") from error
        raise AssertionError


def _is_away(error: exc.DBAPIError) -> bool:
    """Whether the database is at fault (away, full, read-only, damaged) and not the statement.

    SQLite's driver calls both an operational error; its code SQLITE_ERROR is the statement's: an overflow, a typing
    error.
    """
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False
    kinds = (exc.OperationalError, exc.InterfaceError, exc.InternalError)
    return (isinstance(error, kinds) or type(error) is exc.DatabaseError) and not _is_content(error)


def _is_content(error: exc.DBAPIError) -> bool:
    """Whether what was written is at fault: no other write fails for it, and to wait for the database is no use."""
    return str(getattr(error.orig, "sqlstate", None))[:2] in CONTENT_CLASSES


def _may_repeat(error: exc.DBAPIError) -> bool:
    """A lost deadlock was rolled back. A dead connection may have committed, but every move bears repetition."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in RETRIED_STATES


def _why(error: exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
