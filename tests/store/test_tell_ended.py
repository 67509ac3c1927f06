"""Whoever waits hears of every job that ends, whatever ended it, once that is committed and never before."""

import pytest

from holdfast.model.job import State
from holdfast.store.break_off import break_off
from holdfast.store.cancel import cancel_job, expire_due
from store.scene import Scene, bury, failure, retry, success


@pytest.fixture
def told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, State]]:
    """What was told: which job, and the state in which whoever asks then finds it."""
    heard: list[tuple[str, State]] = []
    monkeypatch.setattr(scene.store, "tell_ended", lambda jobs: heard.extend((job, scene.state(job)) for job in jobs))
    return heard


def test_a_call_that_ends_its_job_tells(scene: Scene, told) -> None:
    one, other = scene.start(), scene.start()
    scene.finish(success(one))
    scene.finish(failure(other, bury()))
    assert told == [(one.id, State.SUCCEEDED), (other.id, State.DEAD)]


def test_a_job_that_goes_on_is_not_told_of(scene: Scene, told) -> None:
    scene.finish(failure(scene.start(), retry()))
    assert told == []


def test_a_cancelled_and_an_expired_job_are_told_of(scene: Scene, told) -> None:
    job, late = scene.submit()[0], scene.submit(expires_in=10.0)[0]
    scene.store.write(cancel_job, job)
    scene.store.write(cancel_job, job)
    scene.pass_time(20)
    scene.store.write(expire_due, 10)
    assert told == [(job, State.CANCELLED), (late, State.EXPIRED)]


def test_a_job_that_its_worker_gives_up_is_told_of(scene: Scene, told) -> None:
    job = scene.start().id
    scene.store.write(break_off, scene.worker, job, "KeyError", sent=True)
    assert told == []
    scene.claim(job)
    scene.store.write(break_off, scene.worker, job, "KeyError", sent=True)
    assert told == [(job, State.DEAD)]


def test_what_is_rolled_back_is_not_told_of(scene: Scene, told) -> None:
    job = scene.submit()[0]

    def cancel_and_break(tx) -> None:
        cancel_job(tx, job)
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        scene.store.write(cancel_and_break)
    assert told == []
    assert scene.state(job) is State.QUEUED
