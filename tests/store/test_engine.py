"""Where the store is opened: what is refused, what is never shown, and what a dead database sounds like."""

import sqlite3
import threading
import traceback
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from holdfast.model.errors import ConfigError, StorageUnavailable
from holdfast.store import Store
from holdfast.store.engine import NETWORK_FILE_SYSTEMS, file_system
from holdfast.store.fleet import list_workers
from holdfast.store.store import TRIES
from holdfast.store.submit import submit_jobs
from holdfast.store.transaction import Transaction
from store.scene import Scene, new_job


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://host/db", "expected sqlite:///FILE or postgresql://HOST/NAME, got 'mysql'"),
        ("sqlite://", "several processes cannot share memory"),
        ("sqlite:///:memory:", "several processes cannot share memory"),
        ("nonsense", "storage.database_url"),
    ],
)
def test_a_url_that_cannot_serve_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Store(url)


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "postgres://me@host/db?password=secret"])
def test_the_password_is_never_shown(url: str) -> None:
    store = Store(url)
    assert "secret" not in store.url
    assert store.url.startswith("postgresql://me@host")


def test_the_file_that_is_shown_is_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Store("sqlite:///.holdfast/holdfast.db").url == f"sqlite:///{tmp_path}/.holdfast/holdfast.db"


def test_the_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new/holdfast.db")
    store.ensure()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/a / ext4 rw 0 0\nfar:/x /home/me nfs4 rw 0 0\n//pc/s /home/me/my\\040share cifs rw 0 0\n")
    assert file_system(Path("/home/me/work/x.db"), mounts) == "nfs4"
    assert file_system(Path("/home/me/my share/x.db"), mounts) == "cifs"
    assert file_system(Path("/home/mean/x.db"), mounts) == "ext4"
    assert file_system(Path("/x.db"), tmp_path / "no such table") is None
    assert {"nfs4", "cifs"} <= NETWORK_FILE_SYSTEMS


def test_sqlite_keeps_what_was_committed_when_the_power_goes(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/holdfast.db")
    pragmas = store.write(
        lambda tx: [tx.connection.execute(text(f"pragma {name}")).scalar() for name in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]


def test_looking_cannot_write(scene: Scene) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only"):
        scene.store.read(lambda tx: tx.connection.execute(text("delete from worker")))


def test_what_fails_in_a_transaction_leaves_nothing(scene: Scene) -> None:
    def half(tx: object) -> None:
        tx.connection.execute(text("delete from worker"))  # type: ignore[attr-defined]
        raise ValueError

    with pytest.raises(ValueError):
        scene.store.write(half)
    assert len(scene.store.read(list_workers)) == 1


def test_a_database_that_is_away_says_so_in_one_sentence(tmp_path: Path) -> None:
    store = Store(f"postgresql://me:secret@/db?host={tmp_path}")
    with pytest.raises(StorageUnavailable) as caught:
        store.ping()
    assert "did not answer" in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match="no SQLite database"):
        Store(f"sqlite:///{path}").ensure()


def test_an_error_never_shows_a_prompt(scene: Scene) -> None:
    words = "the secret of the crew " * 2
    scene.sql("alter table request rename to lost")
    try:
        with pytest.raises(Exception, match="request") as caught:
            submit_jobs(scene.store, [new_job(words)])
        assert words not in "".join(traceback.format_exception(caught.value))
    finally:
        scene.sql("alter table lost rename to request")


def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    store = Store(f"sqlite:///{path}")
    store.ensure()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    timer = threading.Timer(0.1, lambda: other.execute("commit"))
    timer.start()
    assert len(submit_jobs(store, [new_job()])) == 1
    timer.join()
    other.close()


def test_a_file_that_stays_locked_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.store.sqlite_writer.BUSY_SECONDS", 0.05)
    path = tmp_path / "holdfast.db"
    store = Store(f"sqlite:///{path}")
    store.ensure()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StorageUnavailable, match="database is locked"):
        submit_jobs(store, [new_job()])
    other.execute("commit")
    assert len(submit_jobs(store, [new_job()])) == 1
    other.close()


def test_the_clock_is_the_databases(store: Store) -> None:
    first = store.now()
    assert 0 <= store.now() - first < 60


@pytest.mark.parametrize(
    "statement",
    ["select sum(value) from json_each('[9223372036854775807, 1]')", "select json_each.key from json_each('{')"],
)
def test_the_content_of_one_row_is_no_outage_on_sqlite(tmp_path: Path, statement: str) -> None:
    store = Store(f"sqlite:///{tmp_path}/holdfast.db")
    with pytest.raises(DBAPIError):
        store.read(lambda tx: tx.connection.execute(text(statement)).all())


@pytest.mark.parametrize("statement", ["select 9223372036854775807 + 1", "select array_fill(1, array[100000, 100000])"])
def test_the_content_of_one_row_is_no_outage_on_postgres(postgres_store: Store, statement: str) -> None:
    with pytest.raises(DBAPIError):
        postgres_store.read(lambda tx: tx.connection.execute(text(statement)).all())


def test_an_error_of_a_statement_does_not_show_its_parameters(store: Store) -> None:
    def fail(tx: Transaction) -> None:
        tx.connection.execute(
            text("insert into job (id) values (:prompt)"), {"prompt": "a prompt that nobody may read"}
        )

    with pytest.raises(DBAPIError) as caught:
        store.write(fail)
    assert "nobody may read" not in str(caught.value.with_traceback(None)).split("DETAIL")[0]


class DeadlockError(Exception):
    """What psycopg raises for the transaction that lost one."""

    sqlstate = "40P01"


@pytest.mark.parametrize("lost", [1, TRIES - 1])
def test_a_transaction_that_lost_a_deadlock_is_made_again(scene: Scene, lost: int) -> None:
    tries: list[int] = []

    def change(tx: object) -> int:
        tries.append(len(tries))
        if len(tries) <= lost:
            raise OperationalError("update job", {}, DeadlockError())
        return len(tries)

    assert scene.store.write(change) == lost + 1


def test_a_transaction_that_loses_every_deadlock_is_an_outage(scene: Scene) -> None:
    def change(tx: object) -> int:
        raise OperationalError("update job", {}, DeadlockError())

    with pytest.raises(StorageUnavailable):
        scene.store.write(change)
