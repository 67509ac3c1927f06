"""A list that is read page by page tells each entry once and leaves none out, whatever happens between two pages."""

from collections.abc import Callable, Sequence

import pytest

from holdfast.model.event import START
from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.batches import list_batches, open_batch
from holdfast.store.jobs import list_jobs
from holdfast.store.outbox import poll_events
from holdfast.store.retention import delete_jobs
from holdfast.store.webhook_deliveries import list_deliveries, redeliver
from holdfast.store.webhook_endpoints import make_secret, register_endpoint
from holdfast.store.webhook_events import announce_events
from store.scene import Scene, bury, failure, success

Page = Callable[[str | None], Sequence[str]]
LIMIT = 3
DEAD = frozenset({State.DEAD})
FILTERS = [JobFilter(), JobFilter(tenant="default"), JobFilter(lane="smart.batch"), JobFilter(model="smart")]


def pages(page: Page, between: Callable[[], object]) -> list[str]:
    """Read all pages, and let something happen after each; each entry comes once. Ids are made by clocks, so that one
    that is made meanwhile in the same millisecond may come, too.
    """
    found: list[str] = []
    cursor = None
    while read := page(cursor):
        found += read
        cursor = read[-1]
        between()
    assert len(set(found)) == len(found)
    return found


def jobs_of(scene: Scene, where: JobFilter) -> Page:
    return lambda cursor: [job.id for job in scene.store.read(list_jobs, where, LIMIT, cursor)]


@pytest.mark.parametrize("where", FILTERS, ids=["all", "tenant", "lane", "model"])
def test_each_job_comes_once_while_jobs_are_made_and_claimed_and_end(scene: Scene, where: JobFilter) -> None:
    before = sorted(scene.submit(10))
    waiting = list(before)

    def between() -> None:
        scene.submit()
        scene.finish(success(scene.claim(waiting.pop(0))[0]))  # one that no page has shown
        scene.finish(failure(scene.claim(waiting.pop())[0], bury()))  # one that a page has shown

    assert pages(jobs_of(scene, where), between) == before[::-1]


def test_each_dead_letter_comes_once_while_others_die_and_are_replayed_and_dropped(scene: Scene) -> None:
    letters = sorted(scene.submit(10))
    scene.finish(*(failure(claimed, bury()) for claimed in scene.claim(*letters)))
    shown = iter(letters[::-1])

    def between() -> None:
        scene.finish(failure(scene.start(), bury()))
        scene.replay(JobFilter(ids=(next(shown),)), 1, None, "test")
        scene.drop(JobFilter(ids=(next(shown),)), 1, "test")  # also the one that the cursor names

    assert pages(jobs_of(scene, JobFilter(states=DEAD)), between) == letters[::-1]


def test_a_page_goes_on_behind_a_job_that_retention_has_deleted(scene: Scene) -> None:
    jobs = sorted(scene.submit(6))
    scene.finish(*(success(claimed) for claimed in scene.claim(*jobs)))

    def between() -> None:
        scene.pass_time(10)
        scene.store.write(delete_jobs, jobs[3:4], scene.store.read(lambda tx: tx.now))

    assert pages(jobs_of(scene, JobFilter()), between) == jobs[::-1]


def test_each_batch_comes_once_while_batches_are_made_and_their_jobs_end(scene: Scene) -> None:
    batches = sorted(scene.store.write(open_batch, new_id(), "mine", "default").id for _ in range(7))
    jobs = [scene.submit(batch=batch)[0] for batch in batches]

    def page(cursor: str | None) -> list[str]:
        return [batch.id for batch in scene.store.read(list_batches, None, LIMIT, cursor)]

    def between() -> None:
        scene.store.write(open_batch, new_id(), "new", "default")
        scene.finish(success(scene.claim(jobs.pop())[0]))

    assert pages(page, between) == batches[::-1]


def test_batches_and_deliveries_are_narrowed_by_when_they_were_made(scene: Scene) -> None:
    old = scene.store.write(open_batch, new_id(), "old", "default").id
    scene.sql("update batch set created_at = created_at - 3600000000")
    new = scene.store.write(open_batch, new_id(), "new", "default").id
    date = scene.store.now() - 1800
    assert [each.id for each in scene.store.read(list_batches, created_before=date)] == [old]
    assert [each.id for each in scene.store.read(list_batches, created_after=date)] == [new]
    told_of(scene, 1)
    assert len(scene.store.read(list_deliveries, created_after=date)) == 1
    assert scene.store.read(list_deliveries, created_before=date) == []


def told_of(scene: Scene, count: int) -> list[str]:
    """Deliveries of so many jobs that ended, newest first."""
    scene.store.write(make_secret, "default", 0.0, "test")
    scene.store.write(register_endpoint, "default", "https://one.example/hook", ["job.succeeded"], "test")
    end(scene, count)
    return [each.id for each in scene.store.read(list_deliveries)]


def end(scene: Scene, count: int) -> None:
    scene.finish(*(success(claimed) for claimed in scene.claim(*scene.submit(count))))
    announce_events(scene.store)


def test_each_delivery_comes_once_while_others_are_written_and_sent_again(scene: Scene) -> None:
    deliveries = told_of(scene, 8)

    def page(cursor: str | None) -> list[str]:
        return [each.id for each in scene.store.read(list_deliveries, before=cursor, limit=LIMIT)]

    def between() -> None:
        end(scene, 1)
        scene.store.write(redeliver, deliveries[0], None, "test")
        scene.store.write(redeliver, deliveries[-1], None, "test")

    assert pages(page, between) == deliveries


def test_each_event_comes_once_and_those_that_come_meanwhile_follow(scene: Scene) -> None:
    first = scene.submit(7)
    scene.finish(*(success(claimed) for claimed in scene.claim(*first)))
    first = [event.job for event in poll_events(scene.store, START)]
    later = scene.submit(3)
    waiting = list(later)
    found, cursor = [], START
    while events := poll_events(scene.store, cursor, LIMIT):
        found += [event.job for event in events]
        cursor = events[-1].id
        if waiting:
            scene.finish(success(scene.claim(waiting.pop(0))[0]))
    assert found == [*first, *later]
