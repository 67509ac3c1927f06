"""The ledger finds each broken promise, and names who broke it."""

import pytest

from holdfast.model.job import State
from holdfast.model.records import LedgerLine
from holdfast.store.batches import open_batch
from holdfast.store.fleet import take_over
from holdfast.store.ledger import read_ledger
from holdfast.store.transaction import Transaction
from store.scene import Scene, failure, retry, success

FORGERY = """
    insert into result (job, generation, fence, state, cost_micros, attempts, created_at)
    values (:id, {}, 1, 'dead', 0, 1, 1)
"""


def everything(scene: Scene) -> dict[State, str]:
    """One job in every state."""
    return {state: scene.held_in(state).id for state in State}


def test_the_equation_counts_every_job_once(scene: Scene) -> None:
    everything(scene)
    lines = {line.name: line for line in scene.store.read(read_ledger)}
    assert [name for name, line in lines.items() if not line.holds] == []
    assert list(lines) == ["I1", "I2", "I5", "I7", "I8", "tally"]
    assert lines["I1"].figures == {
        "accepted": 7,
        "succeeded": 1,
        "dead": 1,
        "cancelled": 1,
        "expired": 1,
        "live": 3,
        "dropped": 0,
        "offenders": 0,
    }
    assert lines["I7"].figures["calls"] == 7
    assert lines["I7"].figures["cost_micros"] == 7


def test_an_empty_store_holds(scene: Scene) -> None:
    assert not scene.broken()


@pytest.mark.parametrize(
    ("line", "guilty", "crime"),
    [
        ("I1", State.SUCCEEDED, "delete from result where job = :id"),
        ("I1", State.DEAD, "update result set state = 'expired' where job = :id"),
        ("I1", State.RUNNING, FORGERY.format(1)),
        ("I2", State.SUCCEEDED, "update result set fence = 0 where job = :id"),
        ("I2", State.SUCCEEDED, FORGERY.format(2)),
        ("I2", State.QUEUED, "update job set generation = 2 where id = :id"),
        ("I5", State.RUNNING, "delete from attempt where job = :id"),
        ("I5", State.RUNNING, "update attempt set worker = 'nobody' where job = :id"),
        ("I5", State.DEAD, "delete from attempt where job = :id"),
        ("I5", State.DELAYED, "update job set number = 2 where id = :id"),
        ("I7", State.SUCCEEDED, "update attempt set usage = '{}' where job = :id"),
        ("I7", State.SUCCEEDED, "delete from attempt where job = :id"),
        ("I7", State.SUCCEEDED, "update attempt set cost_micros = 6 where job = :id"),
        ("I7", State.SUCCEEDED, "update attempt set outcome = 'failed' where job = :id"),
    ],
)
def test_a_forged_row_is_found(scene: Scene, line: str, guilty: State, crime: str) -> None:
    jobs = everything(scene)
    scene.sql(crime, id=jobs[guilty])
    found = {broken.name: broken.offenders for broken in scene.broken()}
    assert found[line] == (jobs[guilty],)


def test_a_vanished_job_breaks_the_equation(scene: Scene) -> None:
    jobs = everything(scene)
    scene.sql("delete from job where id = :id", id=jobs[State.QUEUED])
    assert {line.name for line in scene.broken()} >= {"I1", "tally"}


def test_a_count_that_drifts_is_told_with_its_size(scene: Scene) -> None:
    scene.submit(2)
    scene.sql("update tally set jobs = jobs + 3 where kind = 'lane'")
    [line] = scene.broken()
    assert line.offenders == ("lane smart.batch queued: +3",)


def long_gone(scene: Scene, seconds: float) -> None:
    """Time passes; a worker that should have swept lived all the while."""
    scene.pass_time(seconds)
    scene.sql("update worker set stopped_at = null")
    sweeper = scene.hire()
    scene.sql("update worker set started_at = 1 where id = :id", id=sweeper)


def test_a_due_job_that_nobody_releases_is_asleep(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry(10)))
    long_gone(scene, 45)
    [line] = scene.broken()
    assert (line.name, line.offenders) == ("I8", (claimed.id,))


def test_an_expired_job_that_nobody_ends_is_asleep(scene: Scene) -> None:
    [job] = scene.submit(expires_in=10)
    long_gone(scene, 45)
    assert [line.offenders for line in scene.broken()] == [(job,)]


def test_a_dead_workers_job_that_nobody_takes_over_breaks_two_lines(scene: Scene) -> None:
    claimed = scene.start()
    long_gone(scene, 70)
    assert not scene.broken()
    long_gone(scene, 10)
    assert {line.name: line.offenders for line in scene.broken()} == {"I5": (claimed.id,), "I8": (claimed.id,)}


def test_while_no_worker_lives_nothing_is_asleep(scene: Scene) -> None:
    scene.finish(failure(scene.start(), retry(10)))
    scene.start()
    scene.pass_time(1000)
    assert not scene.broken()


def test_a_call_that_ends_late_under_an_old_fence_breaks_nothing(scene: Scene) -> None:
    claimed = scene.start()
    scene.pass_time(16)
    scene.store.write(take_over)
    [again] = scene.claim(claimed.id, worker=scene.hire())
    assert scene.finish(success(again), success(claimed)) == [True, False]
    assert not scene.broken()


def test_a_batch_whose_count_drifts_is_told(scene: Scene) -> None:
    batch = scene.store.write(open_batch, "b" * 32, "nightly", "default").id
    scene.submit(2, batch=batch)
    scene.sql("update tally set jobs = 1 where kind = 'batch'")
    [line] = scene.broken()
    assert (line.name, line.offenders) == ("tally", (f"batch {batch} queued: -1",))


def test_a_job_that_was_accepted_and_not_counted_breaks_the_equation_alone(scene: Scene) -> None:
    everything(scene)
    scene.sql("update tally set jobs = jobs - 1 where name = 'accepted'")
    assert [line.name for line in scene.broken()] == ["I1"]


def test_a_look_at_the_books_sees_one_moment_and_holds_up_nobody(scene: Scene) -> None:
    everything(scene)

    def look(tx: Transaction) -> tuple[list[LedgerLine], list[LedgerLine]]:
        before = read_ledger(tx)
        scene.finish(success(scene.start()))
        return before, read_ledger(tx)

    before, after = scene.store.read(look)
    assert before == after
    assert {line.name: line for line in scene.store.read(read_ledger)}["I1"].figures["accepted"] == 8
