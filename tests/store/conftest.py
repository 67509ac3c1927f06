"""Every contract test runs on SQLite and on Postgres."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from holdfast.store import Store
from holdfast.store.tables import METADATA
from servers import postgres
from store.scene import Scene


def skip_sync(connection: sqlite3.Connection, _record: object) -> None:
    """A test outlives no power cut, and need not wait for the disk."""
    connection.execute("pragma synchronous = off")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_store(postgres_url: str) -> Iterator[Store]:
    store = Store(postgres_url)
    store.ensure()
    yield store
    store.close()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing else."""
    path = tmp_path_factory.mktemp("empty") / "holdfast.db"
    store = Store(f"sqlite:///{path}")
    store.ensure()
    store.close()
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "holdfast.db")
        opened = Store(f"sqlite:///{tmp_path}/holdfast.db")
        event.listen(opened._writer, "connect", skip_sync)
        yield opened
        opened.close()
    else:
        opened = request.getfixturevalue("postgres_store")
        tables = ", ".join(table.name for table in METADATA.sorted_tables)
        opened.write(lambda tx: tx.connection.execute(text(f"truncate {tables} restart identity")))
        yield opened


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)
