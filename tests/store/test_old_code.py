"""Code of a released revision works on the newest schema, and goes on working while it is upgraded."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.store import Store
from holdfast.store.backlog import list_lanes
from holdfast.store.ledger import read_ledger
from store.old_code import recorded, upgrade_to
from store.test_schema import bare_url

__all__ = ["bare_url"]
REVISIONS = ["0002"]  # whose code is out there
FIRST_SUBMIT = "insert into job"


@pytest.fixture
def bare(bare_url: str) -> Iterator[Store]:
    store = Store(bare_url)
    yield store
    store.close()


def name(store: Store) -> str:
    return "sqlite" if store.dialect.name == "sqlite" else "postgres"


def say(store: Store, line: dict[str, Any]) -> int:
    """Say one statement as the driver got it then. How many rows it answered or moved."""

    def execute(tx: Any) -> int:
        cursor = tx.connection.connection.cursor()
        run = cursor.executemany if line["many"] else cursor.execute
        run(line["statement"], line["parameters"])
        rows = int(cursor.rowcount)
        cursor.close()
        return rows

    return store.write(execute)


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_old_code_says_moves_the_same_rows_on_the_newest_schema(bare: Store, revision: str) -> None:
    bare.upgrade()
    for line in recorded(revision, name(bare)):
        assert say(bare, line) == line["rows"], line["statement"]
    assert [line for line in bare.read(read_ledger) if not line.holds] == []
    assert bare.read(list_lanes)[0].counts


@pytest.mark.parametrize("revision", REVISIONS)
def test_old_code_goes_on_while_the_schema_is_upgraded(bare: Store, revision: str) -> None:
    upgrade_to(bare, revision)
    lines = recorded(revision, name(bare))
    half = next(place for place, line in enumerate(lines) if FIRST_SUBMIT in line["statement"]) + 4
    for line in lines[:half]:
        say(bare, line)
    upgrade = threading.Thread(target=bare.upgrade)
    upgrade.start()
    for line in lines[half:]:
        assert say(bare, line) == line["rows"], line["statement"]
    upgrade.join()
    assert [line for line in bare.read(read_ledger) if not line.holds] == []


def test_what_is_recorded_covers_every_table_that_existed_then() -> None:
    said = " ".join(line["statement"] for line in recorded("0002", "postgres"))
    tables = ("job", "request", "attempt", "result", "batch", "tally", "worker", "override", "audit", "secret")
    missing = [table for table in tables if f"into {table}" not in said and f"INTO {table}" not in said]
    assert missing == []


def test_every_record_has_both_databases() -> None:
    files = {path.name for path in (Path(__file__).parent / "old_code").glob("*.jsonl")}
    assert files == {f"{revision}.{database}.jsonl" for revision in REVISIONS for database in ("sqlite", "postgres")}
