"""What ended long ago goes, with all that belongs to it; what lives, or ended lately, stays; the books balance."""

import pytest

from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store import operations
from holdfast.store.batches import find_batch, open_batch
from holdfast.store.fleet import list_workers, stop_worker
from holdfast.store.jobs import find_job, read_states
from holdfast.store.ledger import read_ledger
from holdfast.store.operation_pages import delete_page, work_off, work_page
from holdfast.store.operations import RETENTION, find_operation, open_retention
from holdfast.store.retention import delete_jobs, delete_stopped_workers, find_ended, first_id
from store.scene import Scene, success

TABLES = ("job", "request", "attempt", "result", "response")


@pytest.fixture
def old(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene whose producers live in the past, so that ids are as old as the dates that tests move back."""
    monkeypatch.setattr("store.scene.new_id", lambda: first_id(1_000_000_000)[:12] + new_id()[12:])
    return scene


def rows(scene: Scene, table: str) -> int:
    return int(scene.rows(f"select count(*) from {table}")[0][0])


def test_every_way_of_ending_is_forgotten_with_all_that_belongs_to_it(old: Scene) -> None:
    for state in (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED):
        old.held_in(state)
    old.pass_time(100)
    assert old.delete_ended(60) == 4
    assert [rows(old, table) for table in TABLES] == [0, 0, 0, 0, 0]
    assert old.broken() == []


def test_what_lives_stays_however_old(old: Scene) -> None:
    live = [old.held_in(state, expires_in=None).id for state in (State.QUEUED, State.DELAYED, State.RUNNING)]
    old.pass_time(1000)
    assert old.delete_ended(60) == 0
    assert set(old.store.read(read_states, live)) == set(live)


def test_what_ended_lately_stays_though_it_was_made_long_ago(old: Scene) -> None:
    job = old.submit()[0]
    old.pass_time(1000)
    worker = old.hire()
    [claimed] = old.claim(job, worker=worker)
    old.finish(success(claimed))
    assert old.delete_ended(60) == 0
    assert old.state(job) is State.SUCCEEDED


def test_pages_are_small_and_find_everything(old: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PAGE", 3)
    for _ in range(7):
        old.held_in(State.SUCCEEDED)
    old.pass_time(100)
    assert old.store.write(open_retention, 60)
    assert work_page(old.store, RETENTION) is not None
    assert rows(old, "job") == 4
    assert work_off(old.store, RETENTION, rest=0.0).jobs == 7


def test_only_one_process_deletes_at_a_time(old: Scene) -> None:
    old.held_in(State.SUCCEEDED)
    old.pass_time(100)
    assert old.store.write(open_retention, 60)
    assert not old.store.write(open_retention, 60)
    seen = old.store.read(find_operation, RETENTION)
    ended = old.store.read(find_ended, seen.until, seen.cursor, 10)
    assert old.store.write(delete_page, seen, ended)
    assert old.store.write(delete_page, seen, ended)  # what another process read before: it does not count twice
    assert old.store.read(find_operation, RETENTION).jobs == 1


def test_what_lives_again_when_its_page_is_deleted_stays(old: Scene) -> None:
    dead = old.held_in(State.DEAD)
    old.pass_time(100)
    now = old.store.read(lambda tx: tx.now)
    page = old.store.read(find_ended, now, "", 10)
    old.replay(JobFilter(), 10, None, "me")
    assert page == [dead.id]
    assert old.store.write(delete_jobs, page, now) == 0
    assert old.state(dead.id) is State.QUEUED


def test_a_round_is_not_begun_again_too_soon(old: Scene) -> None:
    assert old.delete_ended(60) == 0
    assert not old.store.write(open_retention, 60, every=30)
    old.pass_time(31)
    assert old.store.write(open_retention, 60, every=30)


def test_the_ledger_counts_what_was_forgotten_with_its_cost(old: Scene) -> None:
    old.held_in(State.SUCCEEDED)
    before = {line.name: line for line in old.store.read(read_ledger)}
    old.pass_time(100)
    old.delete_ended(60)
    after = {line.name: line for line in old.store.read(read_ledger)}
    assert (after["I1"].figures["accepted"], after["I1"].figures["dropped"]) == (1, 1)
    assert after["I7"].figures["cost_micros"] == before["I7"].figures["cost_micros"] > 0
    assert old.broken() == []


def test_an_empty_old_batch_goes_and_leaves_no_counts(old: Scene) -> None:
    batch = old.store.write(open_batch, new_id(), "nightly", "default").id
    job = old.held_in(State.SUCCEEDED, batch=batch)
    old.pass_time(100)
    old.sql("update batch set created_at = 0")
    assert old.delete_ended(60) == 1
    assert old.delete_ended(60) == 0
    assert old.store.read(find_batch, batch) is None
    assert rows(old, "tally where kind = 'batch'") == 0
    assert old.store.read(find_job, job.id) is None


def test_processes_that_stopped_yesterday_are_forgotten_and_no_others(scene: Scene) -> None:
    gone, holding = scene.hire(), scene.hire()
    [claimed] = scene.claim(*scene.submit(), worker=holding)
    scene.store.write(stop_worker, gone), scene.store.write(stop_worker, holding)
    scene.pass_time(86_000)
    lately = scene.hire()
    scene.store.write(stop_worker, lately)
    scene.store.write(delete_stopped_workers)
    assert rows(scene, "worker") == 4
    scene.pass_time(800)
    scene.store.write(delete_stopped_workers)
    left = {worker.id for worker in scene.store.read(list_workers, live_only=False)}
    assert left == {scene.worker, holding, lately}
    assert scene.state(claimed.id) is State.RUNNING


def test_counts_of_a_batch_that_still_has_jobs_stay(old: Scene) -> None:
    batch = new_id()
    old.submit(2, batch=batch)
    old.held_in(State.SUCCEEDED, batch=batch)
    old.pass_time(100)
    assert old.delete_ended(60) == 1
    assert old.broken() == []


def test_what_lives_again_since_it_was_found_stays(old: Scene) -> None:
    job = old.held_in(State.DEAD).id
    old.pass_time(100)
    before = old.store.write(lambda tx: tx.now)
    assert old.store.read(find_ended, before, "", 10) == [job]
    old.replay(JobFilter(ids=(job,)), 1, None, "me")
    assert old.store.write(delete_jobs, [job], before) == 0
    assert old.state(job) is State.QUEUED
    assert old.broken() == []
