"""Migrations of the schema, run from Python: no alembic.ini, and no alembic at all when nothing is to be done.

A new SQLite database is made by one script, which says what all of them together come to.

They only go forward, and only add: code of an earlier revision works on a newer schema, so that a fleet is upgraded
process by process. What no code uses any more is taken away a release later.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from holdfast.model.errors import Conflict

HEAD = "0020"  # the newest revision; a test compares it with the files
LOCK = 4_841_026_170  # of Postgres, so that processes that start together upgrade one after the other
TRY_AGAIN = 0.2  # seconds between two tries to get it
NEWEST = "head"
NEW_SQLITE = Path(__file__).with_name("new_sqlite.sql")


def read_revisions(connection: Connection) -> tuple[str | None, str]:
    """The revision of the schema, None where there is none, and the oldest revision whose code may work on it."""
    found = _read_word(connection, "alembic_version", "version_num")
    return found, _read_word(connection, "schema_floor", "revision") or (found or "")


def _read_word(connection: Connection, table: str, column: str) -> str | None:
    if not inspect(connection).has_table(table):
        return None
    word: str | None = connection.execute(text(f"select {column} from {table}")).scalar()  # noqa: S608 - names of ours
    return word


def refuse_newer(found: str | None, floor: str) -> None:
    """Refuse a schema from which something was taken away that this code needs; one that has more will do."""
    if found is not None and found > HEAD and floor > HEAD:
        problem = f"is at revision {found}, and code from before {floor} cannot work on it; this is {HEAD}."
        raise Conflict("the database", f"{problem} Run a newer Holdfast.")


def upgrade(engine: Engine, to: str = NEWEST) -> None:
    """Bring the schema to HEAD: on SQLite in one transaction, on Postgres in one for each revision."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            if to == NEWEST and read_revisions(connection)[0] is None:
                _make_new(connection)
            else:
                _run(connection, to)
        return
    with _upgrade_lock(engine), engine.connect() as connection:
        connection.execute(text("set statement_timeout = 0"))  # an index on a large table takes its time
        connection.commit()
        _run(connection, to)
        connection.commit()
        connection.invalidate()  # its settings were for this alone


def is_upgrading(connection: Connection) -> bool:
    """Whether somebody holds the lock of an upgrade."""
    return not connection.execute(text("select pg_try_advisory_xact_lock_shared(:lock)"), {"lock": LOCK}).scalar()


@contextmanager
def _upgrade_lock(engine: Engine) -> Iterator[None]:
    """One process upgrades at a time. Whoever waits does so without a statement under way: an index that is built
    ``concurrently`` waits for every statement that began before it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar():
            time.sleep(TRY_AGAIN)
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": LOCK})


def _make_new(connection: Connection) -> None:
    """Make the tables of a new SQLite database: a third of a second less than by the migrations, and no alembic."""
    for statement in NEW_SQLITE.read_text(encoding="utf-8").split("\n\n"):
        connection.exec_driver_sql(statement)


def _run(connection: Connection, to: str) -> None:
    from alembic import command  # noqa: PLC0415 - 0.1 s that a current schema need not pay
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if (found := read_revisions(connection)[0]) is not None and found > HEAD:
        return  # a newer Holdfast was here
    if connection.dialect.name != "sqlite":
        connection.commit()  # or alembic takes the transaction of that look for one that is not its own
    command.upgrade(config, to)
