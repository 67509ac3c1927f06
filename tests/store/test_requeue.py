"""A worker hands back its own jobs, and no others."""

from holdfast.model.job import State
from holdfast.store.requeue import requeue
from store.scene import Scene


def test_a_worker_hands_back_what_it_holds(scene: Scene) -> None:
    mine = scene.start()
    assert [offer.id for offer in scene.store.write(requeue, scene.worker, [mine.id])] == [mine.id]
    assert scene.state(mine.id) is State.QUEUED


def test_the_jobs_of_another_worker_are_not_handed_back(scene: Scene) -> None:
    other = scene.hire()
    [theirs] = scene.claim(*scene.submit(), worker=other)
    assert scene.store.write(requeue, scene.worker, [theirs.id]) == []
    assert scene.store.write(requeue, scene.worker, None) == []
    assert scene.state(theirs.id) is State.RUNNING
    assert scene.attempts(theirs.id)[0].ended_at is None


def test_what_has_ended_is_not_handed_back(scene: Scene) -> None:
    done = scene.held_in(State.SUCCEEDED)
    assert scene.store.write(requeue, scene.worker, [done.id]) == []
    assert scene.state(done.id) is State.SUCCEEDED
