"""A bulk action is a row: worked off in pages, each job once, by one process at a time, whoever dies in the middle."""

import os
import signal
import subprocess
import sys

import pytest

from holdfast.model.errors import NotFound
from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store import operation_pages, operations
from holdfast.store.operation_pages import work_off, work_page
from holdfast.store.operations import (
    BulkAction,
    OperationState,
    abort_operation,
    delete_done_operations,
    filter_fields,
    find_operation,
    list_operations,
    open_operation,
    pause_operation,
    resting_operations,
    resume_operation,
)
from holdfast.store.transaction import Transaction
from store.scene import Scene, bury, failure, success
from store.test_dead_letters import bury_jobs
from store.test_drain import exported

WORK_OFF = """
import os, sys
from holdfast.store import Store, operations
from holdfast.store.operation_pages import work_off
from holdfast.testing import Runtime
operations.PAGE = 3
work_off(Store(sys.argv[1], Runtime.from_environment(os.environ)), sys.argv[2])
"""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PAGE", 3)


def ask(scene: Scene, action: BulkAction = BulkAction.REPLAY, limit: int = 100, per_minute: float | None = None) -> str:
    return scene.store.write(open_operation, action, JobFilter(), limit, "me", per_minute)


def generations(scene: Scene) -> list[int]:
    return [row.generation for row in scene.rows("select generation from job order by generation")]


def test_pages_move_every_job_once(scene: Scene) -> None:
    bury_jobs(scene, 7)
    id_ = ask(scene)
    assert [work_page(scene.store, id_) for _ in range(4)] == [0.0, 0.0, None, None]
    found = scene.store.read(find_operation, id_)
    assert (found.jobs, found.done) == (7, True)
    assert generations(scene) == [2] * 7
    assert not scene.broken()


@pytest.mark.parametrize(("limit", "moved"), [(2, 2), (3, 3), (4, 4), (6, 6)])
def test_the_limit_holds_across_pages(scene: Scene, limit: int, moved: int) -> None:
    bury_jobs(scene, 7)
    assert work_off(scene.store, ask(scene, BulkAction.DROP, limit), rest=0.0).jobs == moved
    assert len(generations(scene)) == 7 - moved


def test_a_paced_replay_moves_what_starts_next_and_no_more(scene: Scene) -> None:
    jobs = bury_jobs(scene, 7)
    id_ = ask(scene, per_minute=60)
    assert work_page(scene.store, id_) == 0.0
    assert [scene.state(job) for job in jobs[:3]] == [State.QUEUED, State.DELAYED, State.DEAD]
    wait = work_page(scene.store, id_)
    assert wait is not None
    assert 0.0 < wait <= 1.0
    assert generations(scene) == [1] * 5 + [2] * 2
    assert not scene.broken()


def test_the_pace_holds_over_time_and_what_was_missed_does_not_start_all_at_once(scene: Scene) -> None:
    bury_jobs(scene, 7)
    id_ = ask(scene, per_minute=60)
    for _ in range(3):
        work_page(scene.store, id_)
        scene.pass_time(1)
    assert generations(scene).count(2) == 4  # at 0, 1, 2 and, a second ahead, 3 s
    scene.pass_time(3600)
    work_page(scene.store, id_)
    assert generations(scene).count(2) == 6
    assert not scene.broken()


def test_a_replay_without_a_pace_adds_to_a_lane_only_as_it_drains(scene: Scene, monkeypatch) -> None:
    monkeypatch.setattr(operation_pages, "ROOM", 2)
    bury_jobs(scene, 5)
    id_ = ask(scene)
    assert work_page(scene.store, id_) == 0.0
    wait = work_page(scene.store, id_)
    assert wait is not None
    assert wait > 0.0
    assert generations(scene).count(2) == 2
    for claimed in scene.claim(*[row.id for row in scene.rows("select id from job where state = 'queued'")]):
        scene.finish(success(claimed))
    assert work_page(scene.store, id_) == 0.0
    assert generations(scene).count(2) == 4
    assert not scene.broken()


def test_a_full_lane_holds_up_no_other(scene: Scene, monkeypatch) -> None:
    monkeypatch.setattr(operation_pages, "ROOM", 2)
    bury_jobs(scene, 2)
    bury_jobs(scene, 1, model="fast")
    scene.submit(5)
    id_ = ask(scene)
    assert work_page(scene.store, id_) == 0.0
    assert [row.lane for row in scene.rows("select lane from job where generation = 2")] == ["fast.batch"]
    assert work_page(scene.store, id_) != 0.0


def test_a_paused_operation_moves_nothing_until_it_is_resumed(scene: Scene) -> None:
    bury_jobs(scene, 7)
    id_ = ask(scene)
    assert work_page(scene.store, id_) == 0.0
    assert scene.store.write(pause_operation, id_, "eva").state is OperationState.PAUSED
    assert work_page(scene.store, id_) is None
    scene.pass_time(3600)
    assert scene.store.read(resting_operations, 10.0) == []
    assert generations(scene).count(2) == 3
    assert scene.store.write(resume_operation, id_, "eva").state is OperationState.RUNNING
    assert work_off(scene.store, id_, rest=0.0).jobs == 7
    acts = [row.action for row in scene.rows("select action from audit order by id")]
    assert acts == ["replay.asked", "replay.pause", "replay.resume", "replay"]


def test_an_aborted_operation_is_over_and_what_it_moved_stays_moved(scene: Scene) -> None:
    bury_jobs(scene, 7)
    id_ = ask(scene)
    work_page(scene.store, id_)
    found = scene.store.write(abort_operation, id_, "eva")
    assert (found.state, found.done, found.jobs, found.eligible) == (OperationState.ABORTED, True, 3, 7)
    assert work_page(scene.store, id_) is None
    assert scene.store.write(resume_operation, id_, "eva").state is OperationState.ABORTED
    assert generations(scene) == [1] * 4 + [2] * 3
    assert [tuple(row) for row in scene.rows("select actor, action, jobs from audit order by id")] == [
        ("me", "replay.asked", 7),
        ("eva", "replay.abort", 3),
    ]


def test_an_operation_that_waits_for_its_pace_is_known_to_be_looked_after(scene: Scene) -> None:
    bury_jobs(scene, 3)
    id_ = ask(scene, per_minute=0.1)
    work_page(scene.store, id_)
    for _ in range(4):
        scene.pass_time(3)
        work_page(scene.store, id_)
    assert scene.store.read(resting_operations, 5.0) == []


def test_operations_are_listed_newest_first_and_by_tenant(scene: Scene) -> None:
    ask(scene)
    mine = scene.store.write(open_operation, BulkAction.DROP, JobFilter(tenant="acme"), None, "acme")
    assert scene.store.read(list_operations, None, 10)[0].id == mine
    assert [each.id for each in scene.store.read(list_operations, "acme", 10)] == [mine]


def test_a_job_that_dies_again_meanwhile_is_not_taken_twice(scene: Scene) -> None:
    bury_jobs(scene, 4)
    id_ = ask(scene)
    assert work_page(scene.store, id_) is not None
    again = [row.id for row in scene.rows("select id from job where state = 'queued'")]
    for claimed in scene.claim(*again):
        scene.finish(failure(claimed, bury()))
    assert work_off(scene.store, id_, rest=0.0).jobs == 4
    assert generations(scene) == [2] * 4


def test_what_is_dead_by_a_clock_that_was_set_back_is_taken_all_the_same(scene: Scene) -> None:
    bury_jobs(scene, 2)
    scene.pass_time(-3600)
    assert work_off(scene.store, ask(scene), rest=0.0).jobs == 2


def test_a_page_that_another_process_works_on_is_left_to_it(scene: Scene) -> None:
    if scene.store.dialect.name == "sqlite":
        pytest.skip("has one writer at a time: the second one sees what the first one did")
    bury_jobs(scene, 3)
    id_ = ask(scene)

    def while_we_hold_it(tx: Transaction) -> float | None:
        tx.run(operations.TAKE, id=id_)
        return work_page(scene.store, id_)

    assert scene.store.write(while_we_hold_it) is None
    assert generations(scene) == [1] * 3
    assert work_off(scene.store, id_, rest=0.0).jobs == 3


@pytest.mark.parametrize("action", [BulkAction.REPLAY, BulkAction.DRAIN, BulkAction.DROP])
def test_what_a_killed_process_left_another_one_finishes(scene: Scene, action: BulkAction) -> None:
    bury_jobs(scene, 8)
    id_ = ask(scene, action)
    url = scene.store._url.render_as_string(hide_password=False)
    environment = os.environ | {"HOLDFAST_CRASH_AT": f"mid_{action}:2"}
    killed = subprocess.run([sys.executable, "-c", WORK_OFF, url, id_], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    before = scene.store.read(find_operation, id_)
    assert (before.jobs, before.done) == (3, False)
    while not (after := work_off(scene.store, id_, rest=0.0)).done:
        pass  # Postgres holds the dead process's row until it has noticed that it is gone
    assert after.jobs == 8
    assert generations(scene) == ([2] * 8 if action is BulkAction.REPLAY else [])
    assert [row.jobs for row in scene.rows("select jobs from audit where action in ('replay', 'drain', 'drop')")] == [8]
    assert len(exported(scene, id_)) == (8 if action is BulkAction.DRAIN else 0)
    assert not scene.broken()


def test_it_is_told_which_operations_nobody_works_on(scene: Scene) -> None:
    bury_jobs(scene, 4)
    id_ = ask(scene)
    assert scene.store.read(resting_operations, 10.0) == []
    scene.pass_time(11)
    assert scene.store.read(resting_operations, 10.0) == [id_]
    assert work_page(scene.store, id_) is not None
    assert scene.store.read(resting_operations, 10.0) == []
    work_off(scene.store, id_, rest=0.0)
    scene.pass_time(11)
    assert scene.store.read(resting_operations, 10.0) == []


def test_an_operation_is_forgotten_a_day_after_its_end(scene: Scene) -> None:
    done, open_ = ask(scene), ask(scene)
    work_off(scene.store, done)
    scene.pass_time(90_000)
    scene.store.write(delete_done_operations)
    with pytest.raises(NotFound):
        scene.store.read(find_operation, done)
    assert scene.store.read(find_operation, open_).done is False


def test_the_filter_is_kept_as_it_was_given(scene: Scene) -> None:
    where = JobFilter(
        tenant="t",
        states=frozenset({State.DEAD, State.EXPIRED}),
        fault=FaultKind.TOO_LONG,
        ids=("a", "b"),
        created_after=1.5,
    )
    id_ = scene.store.write(open_operation, BulkAction.DROP, where, 5, "me")
    assert scene.store.read(find_operation, id_).where == where
    assert filter_fields(JobFilter()) == {}


def test_work_stops_between_pages_when_told_to(scene: Scene) -> None:
    bury_jobs(scene, 7)
    id_, answers = ask(scene), iter([True, False])
    assert work_off(scene.store, id_, lambda: next(answers), rest=0.0).jobs == 3
