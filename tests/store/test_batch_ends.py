"""The end of a batch is told once, after the ends of its jobs, and again when it comes to life and ends anew."""

import pytest

from holdfast.model.batch_order import NewBatchOrder
from holdfast.model.event import START, Event, EventKind
from holdfast.model.ids import new_id
from holdfast.model.records import JobFilter
from holdfast.store.batch_ends import tell_batch_ends
from holdfast.store.batch_orders import open_failed_order, open_order
from holdfast.store.batches import open_batch
from holdfast.store.cancel import cancel_job
from holdfast.store.order_ends import end_orders
from holdfast.store.outbox import poll_events
from store.scene import Scene, bury, failure, success


def new_batch(scene: Scene, jobs: int = 2) -> tuple[str, list[str]]:
    batch = new_id()
    scene.store.write(open_batch, batch, "letters", "acme")
    return batch, scene.submit(jobs, tenant="acme", batch=batch)


def ends(scene: Scene) -> list[Event]:
    return [event for event in poll_events(scene.store, START) if event.kind is EventKind.BATCH_ENDED]


def test_a_batch_ends_with_its_last_job_and_is_told_once(scene: Scene) -> None:
    batch, (one, other) = new_batch(scene)
    scene.finish(success(scene.claim(one)[0]))
    scene.pass_time(60)
    assert tell_batch_ends(scene.store) == 0
    scene.finish(failure(scene.claim(other, worker=scene.hire())[0], bury()))
    assert [tell_batch_ends(scene.store) for _ in range(3)] == [1, 0, 0]
    [end] = ends(scene)
    assert (end.tenant, end.batch, end.job, end.counts) == ("acme", batch, None, {"succeeded": 1, "dead": 1})
    assert poll_events(scene.store, START)[-1] == end


def test_a_batch_that_is_just_being_filled_is_waited_for(scene: Scene) -> None:
    batch, jobs = new_batch(scene, 1)
    scene.store.write(cancel_job, jobs[0])
    assert tell_batch_ends(scene.store) == 0
    more = scene.submit(tenant="acme", batch=batch)
    scene.pass_time(60)
    assert tell_batch_ends(scene.store) == 0
    scene.store.write(cancel_job, more[0])
    assert tell_batch_ends(scene.store) == 1


def test_who_is_being_filled_holds_no_other_batch_up(scene: Scene) -> None:
    old, jobs = new_batch(scene, 1)
    scene.pass_time(60)
    _young, others = new_batch(scene, 1)
    scene.store.write(cancel_job, others[0])
    scene.store.write(cancel_job, jobs[0])
    assert tell_batch_ends(scene.store) == 1
    assert [end.batch for end in ends(scene)] == [old]
    scene.pass_time(60)
    assert tell_batch_ends(scene.store) == 1
    assert len(ends(scene)) == 2


def test_a_batch_whose_dead_are_replayed_ends_again(scene: Scene) -> None:
    _batch, jobs = new_batch(scene, 1)
    scene.finish(failure(scene.claim(*jobs)[0], bury()))
    scene.pass_time(60)
    assert tell_batch_ends(scene.store) == 1
    scene.replay(JobFilter(), 10, None, "ops")
    assert tell_batch_ends(scene.store) == 0
    scene.finish(success(scene.claim(*jobs, worker=scene.hire())[0]))
    assert tell_batch_ends(scene.store) == 1
    assert [end.counts for end in ends(scene)] == [{"dead": 1}, {"succeeded": 1}]


def test_many_ends_are_told_over_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.store.batch_ends.PAGE", 3)
    batches = [new_batch(scene, 2) for _ in range(5)]
    scene.pass_time(60)
    for half in range(2):
        for _, jobs in batches:
            scene.store.write(cancel_job, jobs[half])
    assert tell_batch_ends(scene.store) == 5
    assert sorted(str(end.batch) for end in ends(scene)) == sorted(batch for batch, _ in batches)


def order(batch: str) -> NewBatchOrder:
    return NewBatchOrder(
        batch=batch,
        tenant="acme",
        api="openai",
        endpoint="/v1/chat/completions",
        file=new_id(),
        completion_window="24h",
        metadata={},
        name="letters",
        fingerprint=new_id(),
        lines=2,
        expires_in=3600.0,
    )


def test_a_batch_of_a_file_ends_with_its_order_and_not_between_two_pages_of_it(scene: Scene) -> None:
    batch = new_id()
    scene.store.write(open_order, order(batch))
    [job] = scene.submit(tenant="acme", batch=batch)
    scene.store.write(cancel_job, job)
    scene.pass_time(60)
    assert tell_batch_ends(scene.store) == 0
    scene.sql("update batch_order set read_at = created_at where batch = :batch", batch=batch)
    for _ in range(2):
        end_orders(scene.store, [batch])
    assert tell_batch_ends(scene.store) == 0
    assert [(end.batch, end.counts) for end in ends(scene)] == [(batch, {"cancelled": 1})]


def test_a_file_that_cannot_be_read_at_all_is_an_end(scene: Scene) -> None:
    batch = new_id()
    scene.store.write(open_failed_order, order(batch), "{}")
    assert [(end.batch, end.counts) for end in ends(scene)] == [(batch, {})]
