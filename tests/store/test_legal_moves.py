"""Nothing moves a job but the moves of the model's table, and each of those has a statement that makes it."""

from collections.abc import Callable

import pytest

from holdfast.model.attempt import Attempt
from holdfast.model.fault import FaultKind
from holdfast.model.job import TERMINAL, Claimed, State
from holdfast.model.records import JobFilter
from holdfast.policy.moves import LEGAL
from holdfast.store.backlog import release_due
from holdfast.store.batches import find_batch, open_batch
from holdfast.store.cancel import cancel_batch, cancel_job, expire_due
from holdfast.store.fleet import take_over
from holdfast.store.jobs import find_detail
from store.scene import Scene, bury, failure, reroute, retry, snooze, success

Act = Callable[[Scene, Claimed], object]
ANYTHING = JobFilter(states=frozenset(State))


def settling(make: Callable[[Claimed], Attempt]) -> Act:
    return lambda scene, held: scene.finish(make(held))


def after(seconds: float, act: Act) -> Act:
    def later(scene: Scene, held: Claimed) -> None:
        scene.pass_time(seconds)
        act(scene, held)

    return later


def crash_for_the_third_time(scene: Scene, held: Claimed) -> None:
    scene.sql("update job set crashes = 2 where id = :id", id=held.id)
    scene.store.write(take_over)


def replay_slowly(scene: Scene, held: Claimed) -> None:
    scene.held_in(scene.state(held.id))  # the first of a paced replay starts at once; this one is second
    scene.sql("update job set finished_at = finished_at + 1000000 where id = :id", id=held.id)
    scene.replay(ANYTHING, 10, 120, "me")


ACTS: dict[str, Act] = {
    "claim": lambda scene, held: scene.claim(held.id, worker=scene.hire()),
    "complete": settling(success),
    "retry": settling(lambda held: failure(held, retry())),
    "retry at once": settling(lambda held: failure(held, retry(0))),
    "retry too late": settling(lambda held: failure(held, retry(7200))),
    "reroute": settling(lambda held: failure(held, reroute({"a/b": 1.0}))),
    "snooze": settling(lambda held: failure(held, snooze())),
    "bury": settling(lambda held: failure(held, bury())),
    "bury as expired": settling(lambda held: failure(held, bury(FaultKind.EXPIRED))),
    "cancel": lambda scene, held: scene.store.write(cancel_job, held.id),
    "release too early": lambda scene, _: scene.store.write(release_due, 10),
    "release": after(61, lambda scene, _: scene.store.write(release_due, 10)),
    "expire too early": lambda scene, _: scene.store.write(expire_due, 10),
    "expire": after(3601, lambda scene, _: scene.store.write(expire_due, 10)),
    "take over too early": lambda scene, _: scene.store.write(take_over),
    "take over": after(16, lambda scene, _: scene.store.write(take_over)),
    "take over for the third time": after(16, crash_for_the_third_time),
    "replay": lambda scene, _: scene.replay(ANYTHING, 10, None, "me"),
    "replay slowly": replay_slowly,
}


def observe(scene: Scene, before: State, act: Act) -> State:
    """Where an act brings a job of its own that is in state ``before``."""
    held = scene.held_in(before)
    act(scene, held)
    assert not scene.broken()
    reached = scene.state(held.id)
    scene.wipe()
    return reached


@pytest.mark.parametrize("before", State)
def test_every_act_makes_a_legal_move_or_none(scene: Scene, before: State) -> None:
    reached = {name: observe(scene, before, act) for name, act in ACTS.items()}
    assert set(reached.values()) - {before} == LEGAL[before], reached


@pytest.mark.parametrize("ended", sorted(TERMINAL))
def test_what_has_ended_is_moved_by_no_worker(scene: Scene, ended: State) -> None:
    held = scene.held_in(ended)
    before = scene.store.read(find_detail, held.id)
    assert scene.finish(success(held))[0] is False
    assert scene.claim(held.id) == []
    now = scene.store.read(find_detail, held.id)
    assert now is not None
    assert before is not None
    assert (now.job, now.result) == (before.job, before.result)


def test_a_batch_is_cancelled_page_by_page_to_its_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.store.cancel.CANCEL_PAGE", 3)
    batch = scene.store.write(open_batch, "b" * 32, "nightly", "default").id
    jobs = scene.submit(10, batch=batch)
    held = scene.claim(*jobs[:4])
    scene.finish(success(held[0]), failure(held[1], retry()))
    assert cancel_batch(scene.store, batch) == 9
    assert cancel_batch(scene.store, batch) == 0
    assert scene.store.read(find_batch, batch).counts == {State.SUCCEEDED: 1, State.CANCELLED: 9}
    assert not scene.broken()
