"""Connections that read SQLite are kept: one look's snapshot and failure are its own, and nobody waits for one kept."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from holdfast.model.errors import StorageUnavailable
from holdfast.store import Store
from holdfast.store.sql import Statement
from holdfast.store.sqlite_reader import MOST_KEPT
from holdfast.store.transaction import Transaction

ADD = Statement("insert into note (id) values (:id)")
ALL = Statement("select id from note order by id")
AT_ONCE = 2 * MOST_KEPT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/holdfast.db")
    opened.write(lambda tx: tx.connection.execute(text("create table note (id integer primary key)")))
    yield opened
    opened.close()


def notes(tx: Transaction) -> list[int]:
    return [row.id for row in tx.run(ALL)]


def add(store: Store, id_: int) -> None:
    store.write(lambda tx: tx.run(ADD, id=id_))


def test_a_look_sees_one_snapshot_whoever_asks_in_it(store: Store) -> None:
    def twice(tx: Transaction) -> tuple[list[int], list[int]]:
        before = notes(tx)
        add(store, 2)
        return before, [row.id for row in tx.select(text("select id from note order by id"))]

    add(store, 1)
    assert store.read(twice) == ([1], [1])
    assert store.read(notes) == [1, 2]


def test_a_look_that_fails_leaves_nothing_to_the_next(store: Store) -> None:
    def fails(tx: Transaction) -> None:
        notes(tx)
        tx.run(Statement("select nothing from note"))

    for _ in range(AT_ONCE):
        with pytest.raises(DBAPIError):
            store.read(fails)
    add(store, 1)
    assert store.read(notes) == [1]


def test_nothing_is_written_in_a_look(store: Store) -> None:
    with pytest.raises(StorageUnavailable):
        store.read(lambda tx: tx.run(ADD, id=1))
    assert store.read(notes) == []


def test_many_look_at_once_and_few_connections_stay_with_them(store: Store) -> None:
    together = Barrier(AT_ONCE)

    def look(tx: Transaction) -> list[int]:
        found = notes(tx)
        together.wait(30)
        return found

    add(store, 1)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(2):
            assert list(threads.map(store.read, [look] * AT_ONCE)) == [[1]] * AT_ONCE
    assert store._reader.pool.checkedout() == MOST_KEPT  # type: ignore[attr-defined]
    store.close()
    assert store._reader.pool.checkedout() == 0  # type: ignore[attr-defined]
