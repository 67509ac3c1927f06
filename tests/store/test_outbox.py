"""Who reads the outbox misses nothing and reads nothing twice, however transactions commit and whoever deletes."""

from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.model.errors import EventsGone
from holdfast.model.event import START, Event, EventKind, event_id
from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.store import Store
from holdfast.store.batches import open_batch
from holdfast.store.break_off import break_off
from holdfast.store.cancel import cancel_all, cancel_job, expire_due
from holdfast.store.fleet import take_over
from holdfast.store.outbox import delete_events, lock_cursor, poll_events
from holdfast.store.store import SHARDS
from holdfast.store.transaction import Transaction
from store.scene import Scene, bury, failure, retry, success


def kinds(events: list[Event]) -> list[tuple[str | None, str]]:
    return [(event.job, event.kind.value) for event in events]


def test_every_way_in_which_a_job_ends_is_an_event(scene: Scene) -> None:
    done, dead, broken, killer = (scene.start() for _ in range(4))
    gone, late = scene.submit()[0], scene.submit(expires_in=10.0)[0]
    scene.finish(success(done))
    scene.finish(failure(dead, bury()))
    scene.store.write(cancel_job, gone)
    scene.store.write(break_off, scene.worker, broken.id, "KeyError", sent=True)
    scene.claim(broken.id)
    scene.store.write(break_off, scene.worker, broken.id, "KeyError", sent=True)
    scene.sql("update job set crashes = 2 where id = :id", id=killer.id)
    scene.pass_time(20)
    scene.store.write(expire_due, 10)
    scene.store.write(take_over)
    assert kinds(poll_events(scene.store, START)) == [
        (done.id, "job.succeeded"),
        (dead.id, "job.dead"),
        (gone, "job.cancelled"),
        (broken.id, "job.dead"),
        (late, "job.expired"),
        (killer.id, "job.dead"),
    ]


def test_a_job_that_goes_on_is_no_event(scene: Scene) -> None:
    scene.finish(failure(scene.start(), retry()))
    assert poll_events(scene.store, START) == []


def test_an_event_says_whose_job_it_is_and_what_it_died_of(scene: Scene) -> None:
    batch = new_id()
    scene.store.write(open_batch, batch, "letters", "acme")
    [job] = scene.submit(tenant="acme", batch=batch, custom_id="a-1")
    scene.finish(failure(scene.claim(job)[0], bury()))
    [event] = poll_events(scene.store, START)
    assert (event.tenant, event.batch, event.job, event.custom_id) == ("acme", batch, job, "a-1")
    assert (event.model, event.generation, event.fault) == ("smart", 1, "invalid_request")


def test_who_goes_on_from_any_event_reads_exactly_those_after_it(scene: Scene) -> None:
    ids = [scene.submit()[0] for _ in range(7)]
    for some in (ids[:3], ids[3:4], ids[4:]):
        scene.store.write(cancel_all, some)
    every = poll_events(scene.store, START)
    assert [event.job for event in every] == ids
    for place, event in enumerate(every):
        assert poll_events(scene.store, event.id) == every[place + 1 :]
    assert [event for start in (START, every[1].id) for event in poll_events(scene.store, start, 2)] == every[:4]


def test_what_is_rolled_back_is_no_event(scene: Scene) -> None:
    [job] = scene.submit()

    def cancel_and_break(tx: Transaction) -> None:
        cancel_job(tx, job)
        tx.flush()
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        scene.store.write(cancel_and_break)
    assert poll_events(scene.store, START) == []
    scene.store.write(cancel_job, job)
    assert kinds(poll_events(scene.store, START)) == [(job, "job.cancelled")]


@pytest.fixture
def second_writer(store: Store) -> Iterator[Any]:
    """A transaction of another process that has written to the outbox and not committed yet; Postgres alone has two."""
    if store.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with store._writer.connect() as connection, connection.begin() as transaction:
        another = (store._shard + 1) % SHARDS  # as another process has, mostly; who has the same waits for the commit
        yield transaction, Transaction(connection, store.dialect, another, store._runtime)


def test_a_lower_id_that_commits_later_is_not_passed_over(scene: Scene, second_writer: Any) -> None:
    transaction, slow = second_writer
    first, second = scene.submit()[0], scene.submit()[0]
    cancel_job(slow, first)
    slow.flush()  # it has drawn its id
    scene.store.write(cancel_job, second)
    before = poll_events(scene.store, START)
    transaction.commit()
    after = poll_events(scene.store, before[-1].id if before else START)
    assert [event.job for event in before] == []
    assert [event.job for event in after] == [first, second]


def test_a_writer_that_is_rolled_back_holds_nobody_up(scene: Scene, second_writer: Any) -> None:
    transaction, slow = second_writer
    first, second = scene.submit()[0], scene.submit()[0]
    cancel_job(slow, first)
    slow.flush()
    scene.store.write(cancel_job, second)
    transaction.rollback()
    assert [event.job for event in poll_events(scene.store, START)] == [second]


def test_old_events_are_deleted_and_who_is_behind_them_is_told(scene: Scene) -> None:
    first, second, third = (scene.submit()[0] for _ in range(3))
    scene.store.write(cancel_all, [first, second])
    old = poll_events(scene.store, START)
    scene.pass_time(100)
    scene.store.write(cancel_job, third)
    assert scene.store.write(delete_events, 60) == 1
    assert [event.job for event in poll_events(scene.store, old[-1].id)] == [third]
    for behind in (START, old[0].id):
        with pytest.raises(EventsGone, match="have been deleted"):
            poll_events(scene.store, behind)
    assert scene.store.write(delete_events, 60) == 0


def test_ids_are_not_given_again_after_everything_was_deleted(scene: Scene) -> None:
    scene.store.write(cancel_job, scene.submit()[0])
    [old] = poll_events(scene.store, START)
    scene.pass_time(100)
    scene.store.write(delete_events, 60)
    scene.store.write(cancel_job, scene.submit()[0])
    [new] = poll_events(scene.store, old.id)
    assert new.id > old.id


def test_an_id_of_another_installation_is_told_apart(scene: Scene) -> None:
    scene.store.write(cancel_job, scene.submit()[0])
    with pytest.raises(EventsGone, match="another one, or from a backup"):
        poll_events(scene.store, event_id(999, 0))


def test_an_event_tells_of_an_end_that_can_be_read(scene: Scene) -> None:
    scene.finish(success(scene.start()))
    [event] = poll_events(scene.store, START)
    assert event.kind is EventKind.JOB_SUCCEEDED
    assert scene.state(str(event.job)) is State.SUCCEEDED


def test_what_a_reader_with_a_cursor_has_yet_to_read_is_kept_for_a_week(scene: Scene) -> None:
    jobs = [scene.submit()[0] for _ in range(2)]
    for job in jobs:
        scene.store.write(cancel_job, job)
    first, _second = poll_events(scene.store, START)
    scene.store.write(lock_cursor, "webhooks", first.id)
    scene.pass_time(4 * 86_400)
    assert scene.store.write(delete_events, 60) == 1
    scene.pass_time(4 * 86_400)
    assert scene.store.write(delete_events, 60) == 1
