"""What threads submit at the same time shares a commit; each gets the answer to what it submitted."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from holdfast.model.errors import Conflict, StorageUnavailable
from holdfast.model.job import Submitted
from holdfast.store import Store
from holdfast.store.new_job import NewJob
from holdfast.store.shared_writes import MOST, SharedWrites
from holdfast.store.submit import submit_jobs
from store.scene import Scene, new_job


class Gated:
    """A store whose first transaction waits until it is told to go on; counts those after it."""

    def __init__(self, store: Store) -> None:
        self.store, self.go, self.entered, self.sizes = store, Event(), Event(), list[int]()
        self.broken: BaseException | None = None

    def write(self, change: Callable[..., Any], group: Sequence[Any]) -> Any:
        self.sizes.append(len(group))
        if len(self.sizes) == 1:
            self.entered.set()
            self.go.wait(30)
        elif self.broken:
            raise self.broken
        return self.store.write(change, group)


def submit_together(gated: Gated, *submits: Sequence[NewJob]) -> list["Future[list[Submitted]]"]:
    """One submit that holds the database up, and those that wait behind it."""
    shared = SharedWrites(gated)  # type: ignore[arg-type]
    with ThreadPoolExecutor(len(submits) + 1) as threads:
        first = threads.submit(submit_jobs, shared, [new_job()])
        gated.entered.wait(30)
        found = [threads.submit(submit_jobs, shared, jobs) for jobs in submits]
        while len(shared._waiting) < len(submits):
            Event().wait(0.001)
        gated.go.set()
        assert first.result(30)[0].created
        return found


def test_submits_that_wait_together_share_a_transaction(scene: Scene):
    gated, submits = Gated(scene.store), [[new_job(), new_job()] for _ in range(8)]
    found = submit_together(gated, *submits)
    assert [[one.id for one in each.result(30)] for each in found] == [[job.id for job in jobs] for jobs in submits]
    assert gated.sizes == [1, 8]
    assert not scene.broken()


def test_a_submit_that_cannot_be_taken_fails_alone(scene: Scene):
    submit_jobs(scene.store, [new_job("one", idempotency_key="k")])
    gated = Gated(scene.store)
    good, bad, other = submit_together(gated, [new_job()], [new_job("two", idempotency_key="k")], [new_job()])
    with pytest.raises(Conflict):
        bad.result(30)
    assert good.result(30)[0].created
    assert other.result(30)[0].created


def test_the_same_key_from_two_at_once_is_one_job(scene: Scene):
    gated = Gated(scene.store)
    both = submit_together(gated, [new_job(idempotency_key="k")], [new_job(idempotency_key="k")])
    told = [each.result(30)[0] for each in both]
    assert len({one.id for one in told}) == 1
    assert [one.created for one in told].count(True) == 1


def test_while_the_database_is_away_each_of_them_hears_it(scene: Scene):
    gated = Gated(scene.store)
    gated.broken = StorageUnavailable("here", "it is away")
    for each in submit_together(gated, [new_job()], [new_job()]):
        with pytest.raises(StorageUnavailable):
            each.result(30)
    assert gated.sizes == [1, 2]


def test_a_thread_that_is_cut_short_leaves_nobody_waiting(scene: Scene):
    gated = Gated(scene.store)
    gated.broken = KeyboardInterrupt()
    for each in submit_together(gated, [new_job()], [new_job()]):
        with pytest.raises(KeyboardInterrupt):
            each.result(30)


def test_large_submits_keep_transactions_of_their_own(scene: Scene):
    gated = Gated(scene.store)
    large = [new_job() for _ in range(MOST // 2 + 1)]
    found = submit_together(gated, large, [new_job()], [new_job() for _ in range(MOST // 2)])
    assert all(one.created for each in found for one in each.result(30))
    assert gated.sizes[0] == 1
    assert sorted(gated.sizes[1:]) == [1, 2]
