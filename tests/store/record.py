"""Record what this revision's code says to the database: ``python -m store.record sqlite|postgres FILE``, from tests/.

The record of a released revision is kept in ``old_code/``: test_old_code.py says it again to the newest schema. It is
made once, by the code of that release, and never changed: that code is out there.
"""

import sqlite3
import sys
import tempfile
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from holdfast.model.fault import FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store import Store, sqlite_driver
from holdfast.store.backlog import lane_heads, list_lanes, release_due
from holdfast.store.batches import count_unfinished, find_batch, list_batches, open_batch
from holdfast.store.cancel import cancel_batch, cancel_job, expire_due
from holdfast.store.dead_letters import dead_groups
from holdfast.store.fleet import list_workers, renew_lease, stop_worker, take_over
from holdfast.store.jobs import count_jobs, find_detail, find_job, list_finished, list_jobs, read_history, read_states
from holdfast.store.ledger import read_ledger
from holdfast.store.overrides import read_overrides, set_override
from holdfast.store.requeue import called_within, requeue
from holdfast.store.secrets import message_key
from servers import postgres
from store.scene import Scene, bury, failure, retry, success


def a_day(scene: Scene) -> None:
    """Everything that the code of a release does to a database, once."""
    store = scene.store
    message_key(store)
    batch = store.write(open_batch, new_id(), "nightly", "default").id
    jobs = scene.submit(6, batch=batch, expires_in=3600.0, metadata={"a": "b"})
    keyed = scene.submit(idempotency_key="once")
    scene.submit(idempotency_key="once")
    store.read(lane_heads, "smart.batch", 10)
    held = scene.claim(*jobs[:4], *keyed)
    scene.finish(success(held[0]), failure(held[1], bury()), failure(held[2], retry(0.0)), failure(held[3], retry()))
    store.write(renew_lease, scene.worker, 15.0)
    store.write(release_due, 10), store.write(expire_due, 10), store.write(take_over)
    store.write(requeue, scene.worker, [held[4].id])
    look(store, batch, jobs[0])
    operate(scene, jobs)
    store.write(cancel_job, jobs[4])
    cancel_batch(store, batch)
    scene.delete_ended(3600.0)
    store.write(stop_worker, scene.worker)


def look(store: Store, batch: str, job: str) -> None:
    (
        store.read(find_job, job),
        store.read(find_detail, job),
        store.read(read_states, [job]),
        store.read(called_within, 60.0),
    )
    (
        store.read(find_batch, batch),
        store.read(list_batches),
        store.read(list_finished, batch),
        store.read(count_unfinished, batch),
    )
    (
        store.read(list_jobs, JobFilter(batch=batch)),
        store.read(list_jobs, JobFilter(states=frozenset({State.QUEUED})), cursor=job),
    )
    (
        store.read(list_lanes),
        store.read(list_workers),
        store.read(read_overrides),
        store.read(read_ledger),
        store.read(read_history, [job]),
    )


def operate(scene: Scene, jobs: list[str]) -> None:
    store, dead = scene.store, JobFilter(states=frozenset({State.DEAD}))
    store.write(set_override, "lane", "smart.batch", "paused", "me")
    store.write(set_override, "lane", "smart.batch", None, "me")
    store.read(dead_groups, dead), store.read(count_jobs, dead)
    scene.replay(JobFilter(fault=FaultKind.INVALID_REQUEST), 10, None, "me")
    scene.replay(JobFilter(), 10, 60.0, "me")
    scene.drop(JobFilter(ids=(jobs[1],)), 10, "me")


class Said:
    """Statements in their order, with what they were given and how many rows they answered or moved."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def listen(
        self,
        _connection: Connection | None,
        cursor: Any,
        statement: str,
        parameters: Any,
        _: Any,
        many: bool,  # noqa: FBT001
    ) -> None:
        if statement.split(maxsplit=1)[0].lower() in {"with", "select", "insert", "update", "delete"}:
            line = {"statement": statement, "parameters": parameters, "many": many, "rows": cursor.rowcount}
            self.lines.append(line)


class RecordedDriver:
    """SQLite's driver, whose statements do not pass through SQLAlchemy."""

    def __init__(self, driver: sqlite3.Connection, said: Said) -> None:
        self._driver, self._said = driver, said

    def execute(self, statement: str, parameters: Any) -> sqlite3.Cursor:
        cursor = self._driver.execute(statement, parameters)
        self._said.listen(None, cursor, statement, parameters, None, False)
        return cursor

    def executemany(self, statement: str, rows: Any) -> None:
        cursor = self._driver.executemany(statement, rows)
        self._said.listen(None, cursor, statement, rows, None, True)


def in_json(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": b64encode(value).decode()}
    raise TypeError(type(value))


@contextmanager
def database(kind: str) -> Any:
    if kind == "postgres":
        with postgres() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as directory:
            yield f"sqlite:///{directory}/holdfast.db"


def main() -> None:
    kind, file = sys.argv[1:]
    with database(kind) as url:
        store, said = Store(url), Said()
        store.ensure()
        event.listen(Engine, "after_cursor_execute", said.listen)
        driver = sqlite_driver._driver
        sqlite_driver._driver = lambda connection: RecordedDriver(driver(connection), said)  # type: ignore[assignment,return-value]
        a_day(Scene(store))
        event.remove(Engine, "after_cursor_execute", said.listen)
        store.close()
    Path(file).write_bytes(b"\n".join(orjson.dumps(line, default=in_json) for line in said.lines) + b"\n")


if __name__ == "__main__":
    main()
