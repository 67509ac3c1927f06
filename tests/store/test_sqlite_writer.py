"""One connection writes to SQLite, a transaction after the other: what fails in one is in no other."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from holdfast.model.errors import StorageUnavailable
from holdfast.store import Store, sqlite_writer
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

TABLES = (
    "note (id integer primary key)",
    "child (note integer references note deferrable initially deferred)",
)
ADD = Statement("insert into note (id) values (:id)")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/holdfast.db")
    event.listen(opened._writer, "connect", lambda driver, _record: driver.execute("pragma foreign_keys = on"))
    opened.write(lambda tx: [tx.connection.execute(text(f"create table {table}")) for table in TABLES])
    yield opened
    opened.close()


def add(tx: Transaction, id_: int) -> None:
    tx.run(ADD, id=id_)


def notes(store: Store) -> list[int]:
    return [row.id for row in store.read(lambda tx: tx.run(Statement("select id from note order by id")))]


def test_what_is_run_past_sqlalchemy_and_by_it_is_one_transaction(store: Store) -> None:
    def both(tx: Transaction, *, fails: bool) -> None:
        add(tx, 1)
        tx.connection.execute(text("insert into note (id) values (2)"))
        add(tx, 3)
        if fails:
            raise ValueError

    with pytest.raises(ValueError):
        store.write(both, fails=True)
    assert notes(store) == []
    store.write(both, fails=False)
    assert notes(store) == [1, 2, 3]


def test_a_statement_that_fails_takes_its_transaction_along_and_no_other(store: Store) -> None:
    def twice(tx: Transaction) -> None:
        add(tx, 1)
        add(tx, 1)

    with pytest.raises(IntegrityError):
        store.write(twice)
    store.write(add, 2)
    assert notes(store) == [2]


def test_a_commit_that_fails_is_rolled_back(store: Store) -> None:
    """SQLite leaves such a transaction open: the next one would commit it."""

    def dangle(tx: Transaction) -> None:
        add(tx, 1)
        tx.run(Statement("insert into child (note) values (7)"))

    store.write(add, 2)
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        store.write(dangle)
    store.write(add, 3)
    assert notes(store) == [2, 3]


def test_threads_take_turns(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.write(add, number), range(200)))
    assert notes(store) == list(range(200))


def test_who_gets_no_turn_hears_that_the_database_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.store.sqlite_writer.LONGEST_WAIT", 0.0)

    def ask_meanwhile(tx: Transaction) -> None:
        add(tx, 1)
        with pytest.raises(StorageUnavailable, match="every connection is in use"):
            store.write(add, 2)

    store.write(ask_meanwhile)
    store.write(add, 3)
    assert notes(store) == [1, 3]


def test_a_change_of_the_schema_waits_for_no_connection_that_is_kept(store: Store) -> None:
    store.write(add, 1)
    store.ensure()
    store.write(add, 2)
    assert notes(store) == [1, 2]


def test_a_store_that_was_closed_can_be_used_again(store: Store) -> None:
    store.write(add, 1)
    store.close()
    store.write(add, 2)
    assert notes(store) == [1, 2]


def test_what_cannot_be_begun_holds_nobody_up(tmp_path: Path) -> None:
    directory = tmp_path / "gone"
    store = Store(f"sqlite:///{directory}/holdfast.db")
    directory.rmdir()
    for _ in range(2):
        with pytest.raises((StorageUnavailable, DBAPIError)):
            store.write(add, 1)


def test_a_file_that_somebody_writes_in_the_old_way_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a restored file, which is not yet in WAL mode, is opened by several at once."""
    path, waits = tmp_path / "restored.db", list[float]()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("create table note (id integer primary key)")
    other.execute("begin immediate")

    def committed_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("commit")

    monkeypatch.setattr(sqlite_writer, "sleep", committed_meanwhile)
    opened = Store(f"sqlite:///{path}")
    opened.write(add, 1)
    assert notes(opened) == [1]
    assert len(waits) == 3
    opened.close()
    other.close()
