"""The questions asked all day are answered from their index, on both databases: none reads every job."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine

from holdfast.model.fault import FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import LIVE, State
from holdfast.model.records import JobFilter
from holdfast.store import Store, sqlite_driver
from holdfast.store.backlog import count_scheduled, lane_heads, list_lanes, oldest_wait, release_due
from holdfast.store.cancel import cancel_batch, cancel_job, expire_due
from holdfast.store.dead_letters import dead_groups
from holdfast.store.fleet import list_workers, take_over
from holdfast.store.jobs import count_jobs, find_detail, list_finished, list_jobs, read_states
from holdfast.store.overrides import read_overrides
from holdfast.store.requeue import called_within
from holdfast.store.retention import delete_stopped_workers
from store.scene import Scene, bury, failure, retry, success

JOBS = 800
DEAD = frozenset({State.DEAD})
INDEX_OF_JOBS = re.compile(r"\b(?:sqlite_autoindex_)?job_\w+")
PRIMARY_KEY = frozenset({"job_pkey", "sqlite_autoindex_job_1"})


@pytest.fixture
def busy(store: Store) -> Scene:
    """Jobs of every state, of twenty batches and twenty tenants."""
    scene = Scene(store)
    batches = [new_id() for _ in range(20)]
    jobs = [
        job
        for place, batch in enumerate(batches)
        for job in scene.submit(JOBS // 20, batch=batch, tenant=f"t{place}", expires_in=9000.0, model=f"m{place}")
    ]
    held = scene.claim(*jobs[::2])
    scene.finish(*(success(job) for job in held[150:]))
    scene.finish(*(failure(job, retry()) for job in held[50:100]), *(failure(job, bury()) for job in held[100:150]))
    store.write(lambda tx: tx.connection.execute(text("analyze")))
    return scene


class Plans:
    """Every statement that reads or moves jobs, with the plan that the database makes of it."""

    def __init__(self, store: Store) -> None:
        self.seen: list[tuple[str, str]] = []
        self._sqlite = store.dialect.name == "sqlite"

    def listen(self, connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "job" not in statement or statement.startswith(("explain", "delete")) or "from tally" in statement:
            return
        word = "explain query plan " if self._sqlite else "explain "
        cursor = connection.connection.cursor()
        if not self._sqlite:  # a few jobs are read quicker than an index; the plan for a million is the question
            cursor.execute("set enable_seqscan = off")
        cursor.execute(word + statement, parameters[0] if isinstance(parameters, list) else parameters)
        self.seen.append((statement, "\n".join(str(row[-1]) for row in cursor.fetchall())))
        if not self._sqlite:
            cursor.execute("set enable_seqscan = on")

    def scans(self) -> list[tuple[str, str]]:
        marks = ("SCAN job", "SCAN attempt", "SCAN result") if self._sqlite else ("Seq Scan on job", "Seq Scan on att")
        return [
            (statement, plan)
            for statement, plan in self.seen
            if any(mark in line and not of_part(line) for line in plan.splitlines() for mark in marks)
        ]

    def indexes_of_moves(self) -> set[str]:
        """Return the indexes by which updates of jobs find them."""
        moves = [plan for statement, plan in self.seen if "update job" in statement]
        return {found for plan in moves for found in INDEX_OF_JOBS.findall(plan)}

    def uses(self, index: str) -> bool:
        return any(index in plan for _, plan in self.seen)


def of_part(line: str) -> bool:
    """SQLite reads a whole index: harmless where it is partial, and one of ours."""
    return " USING " in line and "sqlite_autoindex" not in line and "PRIMARY KEY" not in line


@pytest.fixture
def plans(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    plans, run = Plans(store), sqlite_driver.run

    def heard(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        plans.listen(connection, None, statement, parameters)
        return run(connection, statement, parameters)

    monkeypatch.setattr(sqlite_driver, "run", heard)
    event.listen(Engine, "before_cursor_execute", plans.listen)
    yield plans
    event.remove(Engine, "before_cursor_execute", plans.listen)


def some_batch(scene: Scene) -> str:
    [(batch,)] = scene.rows("select max(batch) from job")
    return str(batch)


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("job_head", lambda scene, _: scene.store.read(lane_heads, "m3.batch", 10)),
        ("job_head", lambda scene, _: scene.store.read(oldest_wait, "m3.batch")),
        ("job_scheduled", lambda scene, _: scene.store.read(count_scheduled)),
        ("job_due", lambda scene, _: scene.store.write(release_due, 10)),
        ("job_expiry", lambda scene, _: scene.store.write(expire_due, 10)),
        ("job_running", lambda scene, _: scene.store.write(take_over)),
        (
            "job_dead",
            lambda scene, _: scene.store.read(dead_groups, JobFilter(tenant="t4", fault=FaultKind.OVERLOADED)),
        ),
        ("job_dead", lambda scene, _: scene.store.read(dead_groups, JobFilter())),
        ("job_dead_oldest", lambda scene, _: scene.drop(JobFilter(), 5, "me")),
        ("job_dead_oldest", lambda scene, _: scene.replay(JobFilter(), 5, None, "me")),
        ("job_tenant|job_dead", lambda scene, _: scene.store.read(count_jobs, JobFilter(tenant="t4", states=DEAD))),
        ("job_tenant", lambda scene, _: scene.store.read(list_jobs, JobFilter(tenant="t4"), limit=5)),
        (
            "job_tenant|job_dead",
            lambda scene, _: scene.store.read(list_jobs, JobFilter(tenant="t4", states=DEAD), limit=5),
        ),
        ("job_lane", lambda scene, _: scene.store.read(list_jobs, JobFilter(states=DEAD), limit=5)),
        (
            "job_lane",
            lambda scene, _: scene.store.read(list_jobs, JobFilter(lane="m3.batch"), limit=5, cursor="f" * 32),
        ),
        ("job_lane", lambda scene, _: scene.store.read(list_jobs, JobFilter(model="m3", states=LIVE), limit=5)),
        (
            "job_lane",
            lambda scene, _: scene.store.read(
                list_jobs, JobFilter(lane="m3.batch", fault=FaultKind.OVERLOADED), limit=5
            ),
        ),
        ("job_custom", lambda scene, _: scene.store.read(list_jobs, JobFilter(custom_id="c7"), limit=5)),
        ("job_custom", lambda scene, _: scene.store.read(list_jobs, JobFilter(custom_id="c7", states=DEAD), limit=5)),
        (
            "job_custom",
            lambda scene, _: scene.store.read(list_jobs, JobFilter(custom_id="c7", tenant="t4", states=LIVE), limit=5),
        ),
        ("job_batch", lambda scene, batch: scene.store.read(list_jobs, JobFilter(batch=batch), limit=5)),
        ("job_batch", lambda scene, batch: cancel_batch(scene.store, batch)),
        ("job_ended", lambda scene, batch: scene.store.read(list_finished, batch, limit=5)),
    ],
)
def test_a_question_is_answered_from_its_index(busy: Scene, plans: Plans, index: str, ask: Any) -> None:
    batch = some_batch(busy)
    plans.seen.clear()
    ask(busy, batch)
    assert any(plans.uses(name) for name in index.split("|")), json.dumps(plans.seen, indent=1)
    assert plans.scans() == []


def test_no_move_reads_every_job(busy: Scene, plans: Plans) -> None:
    job = busy.submit(idempotency_key="k")[0]
    busy.submit(idempotency_key="k")
    [claimed] = busy.claim(job)
    busy.finish(failure(claimed, retry(0)))
    [claimed] = busy.claim(job)
    busy.finish(success(claimed))
    busy.store.write(cancel_job, job)
    busy.store.read(read_states, [job])
    busy.store.read(find_detail, job)
    busy.pass_time(16)
    plans.seen.clear()
    busy.store.write(take_over)
    assert plans.seen
    assert plans.scans() == []


def test_jobs_that_are_known_are_found_by_their_ids_alone_before_anybody_counted_the_others(store, plans) -> None:
    """Until Postgres has analyzed a table, it takes a partial index for empty, and reads all of it beside a few ids."""
    scene = Scene(store)
    jobs = scene.submit(JOBS, expires_in=9000.0)
    held = scene.claim(*jobs[:40])
    scene.finish(*(failure(job, retry(0)) for job in held[:20]), *(failure(job, bury()) for job in held[20:30]))
    store.write(release_due, 20)
    scene.replay(JobFilter(), 5, None, "me")
    store.write(cancel_job, jobs[-1])
    scene.pass_time(16)
    store.write(take_over)
    assert plans.indexes_of_moves() <= PRIMARY_KEY, json.dumps(plans.seen, indent=1)


def test_a_look_at_the_lanes_reads_no_job(busy: Scene, plans: Plans) -> None:
    plans.seen.clear()
    busy.store.read(list_lanes), busy.store.read(list_workers), busy.store.read(read_overrides), busy.store.now()
    assert [statement for statement, plan in plans.seen if " job" in plan] == []


def test_the_sweeper_and_retention_read_no_more_than_they_move(busy: Scene, plans: Plans) -> None:
    plans.seen.clear()
    busy.store.write(release_due, 5), busy.store.write(expire_due, 5), busy.store.write(take_over)
    (
        busy.delete_ended(0.0),
        busy.store.write(delete_stopped_workers),
        busy.store.read(called_within, 60.0),
    )
    assert plans.scans() == []
