"""A drain moves each dead letter into its export, once, and keeps it there for a month or until somebody deletes it."""

from itertools import count

import orjson
import pytest

from holdfast.model.errors import NotFound
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store import drain, operations
from holdfast.store.drain import next_letters, read_export
from holdfast.store.operation_pages import work_off, work_page
from holdfast.store.operations import (
    BulkAction,
    OperationState,
    abort_operation,
    delete_done_operations,
    delete_export,
    find_operation,
    open_operation,
)
from store.scene import Scene
from store.test_dead_letters import bury_jobs

DAY = 86_400


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PAGE", 3)


def ask(scene: Scene, limit: int | None = None) -> str:
    return scene.store.write(open_operation, BulkAction.DRAIN, JobFilter(), limit, "me")


def exported(scene: Scene, operation: str) -> list[str]:
    """The ids of the jobs whose lines stand in an export, in its order."""
    pages = []
    for number in count():
        if (page := scene.store.read(read_export, operation, number)) is None:
            break
        pages.append(page)
    return [orjson.loads(line)["letter"]["id"].removeprefix("job_") for line in b"".join(pages).splitlines()]


def left(scene: Scene) -> list[str]:
    return [row.id for row in scene.rows("select id from job order by id")]


def test_every_letter_is_moved_oldest_first_and_stays_in_the_books(scene: Scene) -> None:
    jobs = bury_jobs(scene, 7)
    id_ = ask(scene)
    found = work_off(scene.store, id_, rest=0.0)
    assert (found.state, found.jobs, found.eligible) == (OperationState.DONE, 7, 7)
    assert exported(scene, id_) == jobs
    assert left(scene) == []
    assert [row.action for row in scene.rows("select action from audit order by id")] == ["drain.asked", "drain"]
    assert not scene.broken()


@pytest.mark.parametrize("limit", [2, 3, 5])
def test_the_limit_holds(scene: Scene, limit: int) -> None:
    jobs = bury_jobs(scene, 6)
    id_ = ask(scene, limit)
    assert work_off(scene.store, id_, rest=0.0).jobs == limit
    assert (exported(scene, id_), left(scene)) == (jobs[:limit], sorted(jobs[limit:]))


def test_what_an_aborted_drain_has_taken_can_be_fetched(scene: Scene) -> None:
    jobs = bury_jobs(scene, 5)
    id_ = ask(scene)
    work_page(scene.store, id_)
    scene.store.write(abort_operation, id_, "eva")
    assert work_page(scene.store, id_) is None
    assert (exported(scene, id_), left(scene)) == (jobs[:3], sorted(jobs[3:]))


def test_a_letter_that_is_replayed_while_its_line_is_written_stays_a_job(scene: Scene, monkeypatch) -> None:
    jobs = bury_jobs(scene, 3)
    id_ = ask(scene)

    def slow(tx, where, limit):
        found = next_letters(tx, where, limit)
        scene.replay(JobFilter(ids=(jobs[1],)), 1, None, "eva")
        return found

    monkeypatch.setattr("holdfast.store.operation_pages.next_letters", slow)
    assert work_page(scene.store, id_) == 0.0
    assert (exported(scene, id_), left(scene)) == ([jobs[0], jobs[2]], [jobs[1]])
    assert scene.state(jobs[1]) is State.QUEUED
    assert not scene.broken()


def test_a_page_that_another_process_wrote_meanwhile_is_not_written_again(scene: Scene, monkeypatch) -> None:
    jobs = bury_jobs(scene, 6)
    id_ = ask(scene)

    def slow(tx, where, limit):
        found = next_letters(tx, where, limit)
        monkeypatch.undo()
        monkeypatch.setattr(operations, "PAGE", 3)
        work_page(scene.store, id_)
        return found

    monkeypatch.setattr("holdfast.store.operation_pages.next_letters", slow)
    assert work_page(scene.store, id_) == 0.0
    assert work_off(scene.store, id_, rest=0.0).jobs == 6
    assert exported(scene, id_) == jobs


def test_a_page_ends_when_it_is_large_enough(scene: Scene, monkeypatch) -> None:
    monkeypatch.setattr(drain, "MOST_BYTES", 1)
    bury_jobs(scene, 3)
    letters = scene.store.read(next_letters, JobFilter(), 3)
    assert (len(letters.lines), letters.over) == (1, False)


def test_an_export_is_kept_for_a_month(scene: Scene) -> None:
    bury_jobs(scene, 2)
    id_ = ask(scene)
    work_off(scene.store, id_, rest=0.0)
    scene.pass_time(29 * DAY)
    scene.store.write(delete_done_operations)
    assert len(exported(scene, id_)) == 2
    scene.pass_time(2 * DAY)
    scene.store.write(delete_done_operations)
    assert exported(scene, id_) == []
    with pytest.raises(NotFound):
        scene.store.read(find_operation, id_)


def test_an_export_is_deleted_by_an_operator_once_the_drain_has_ended(scene: Scene) -> None:
    bury_jobs(scene, 4)
    id_ = ask(scene)
    work_page(scene.store, id_)
    with pytest.raises(NotFound):
        scene.store.write(delete_export, id_, "eva")
    assert len(exported(scene, id_)) == 3
    work_off(scene.store, id_, rest=0.0)
    scene.store.write(delete_export, id_, "eva")
    assert exported(scene, id_) == []
    assert [tuple(row) for row in scene.rows("select actor, action, jobs from audit order by id")][-1] == (
        "eva",
        "export.delete",
        4,
    )
