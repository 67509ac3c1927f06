"""The script that makes the tables of a new SQLite database: what the migrations make of an empty file, in one go."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from holdfast.store import Store, migrations

INTRODUCTION = """\
-- The tables of a new SQLite database: what the migrations make of an empty file, without running them one by one.
-- Written by `python docs/generate.py` (`make docs`). Change the migrations, not this script.
-- Statements are parted by empty lines, and none has one inside.
"""
OBJECTS = "select sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by rowid"
NAMES = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by rowid"


def schema_script() -> str:
    """Run the migrations on an empty file, and write down what is there."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "new.db"
        with closing(Store(f"sqlite:///{path}")) as store:
            store.alter(lambda engine: migrations.upgrade(engine, migrations.HEAD))
        with closing(sqlite3.connect(path)) as made:
            return "\n\n".join([INTRODUCTION.strip(), *statements(made)]) + "\n"


def statements(made: sqlite3.Connection) -> Iterator[str]:
    """Yield the statements that make the same tables, indexes and rows."""
    for (statement,) in made.execute(OBJECTS):
        yield "\n".join(line.rstrip().expandtabs(2) for line in statement.splitlines()) + ";"
    for (table,) in made.execute(NAMES).fetchall():
        for row in made.execute(f"select * from {table}"):  # noqa: S608  names of ours
            yield f"insert into {table} values ({', '.join(map(literal, row))});"  # noqa: S608  and our words


def literal(value: object) -> str:
    if not isinstance(value, str) or "'" in value:
        raise TypeError(f"{value!r}: migrations of an empty file write plain words")
    return f"'{value}'"
