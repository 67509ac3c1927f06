"""A job that may not start yet waits in SQL alone; then it starts as any other, and is measured from there."""

from typing import Any

from holdfast.model.job import SCHEDULED, State
from holdfast.model.start_time import StartTime, parse_start
from holdfast.store.backlog import count_scheduled, lane_heads, list_lanes, oldest_wait, release_due
from holdfast.store.cancel import cancel_job, expire_due
from holdfast.store.counters import read_counters
from holdfast.store.submit import submit_jobs
from store.scene import Scene, failure, new_job, retry, success

LANE = "smart.batch"
HOUR = StartTime(3600.0, is_date=False)


def later(scene: Scene, start: StartTime = HOUR, **fields: Any) -> str:
    [submitted] = submit_jobs(scene.store, [new_job(not_before=start, **fields)])
    assert submitted.scheduled
    return submitted.id


def heads(scene: Scene) -> list[str]:
    return [offer.id for offer in scene.store.read(lane_heads, LANE, 10)]


def test_a_scheduled_job_is_no_head_of_its_lane_until_its_time_has_come(scene: Scene) -> None:
    job, other = later(scene), scene.submit()[0]
    assert (scene.state(job), scene.job(job).why_waiting) == (State.DELAYED, SCHEDULED)
    assert heads(scene) == [other]
    assert scene.claim(job) == scene.store.write(release_due, 10) == []
    scene.pass_time(3590)
    assert scene.store.write(release_due, 10) == []
    scene.pass_time(20)
    assert [offer.id for offer in scene.store.write(release_due, 10)] == [job]
    assert heads(scene) == [job, other]
    assert scene.finish(success(scene.claim(job, worker=scene.hire())[0])) == [True]
    assert scene.broken() == []


def test_a_date_is_a_date_and_one_that_is_past_is_no_wait(scene: Scene) -> None:
    now = scene.store.now()
    job = later(scene, StartTime(now + 500.0, is_date=True))
    assert scene.job(job).not_before == scene.job(job).available_at
    assert abs((scene.job(job).not_before or 0.0) - now - 500.0) < 1e-3
    [past] = submit_jobs(scene.store, [new_job(not_before=StartTime(now - 500.0, is_date=True))])
    assert not past.scheduled
    assert (scene.state(past.id), scene.job(past.id).not_before) == (State.QUEUED, None)


def test_a_repeated_submit_is_the_same_job_and_starts_no_later(scene: Scene) -> None:
    job = new_job(idempotency_key="k", not_before=HOUR)
    [first] = submit_jobs(scene.store, [job])
    before = scene.job(first.id).not_before
    scene.pass_time(100)
    [again] = submit_jobs(scene.store, [new_job(idempotency_key="k", not_before=HOUR)])
    assert (again.id, again.created) == (first.id, False)
    assert abs((before or 0.0) - 100 - (scene.job(first.id).not_before or 0.0)) < 1e-3


def test_a_scheduled_job_can_be_cancelled_and_can_expire(scene: Scene) -> None:
    cancelled, late = later(scene), later(scene, expires_in=60.0)
    assert scene.store.write(cancel_job, cancelled) is State.CANCELLED
    scene.pass_time(3600 + 59)
    assert scene.store.write(expire_due, 10) == 0
    scene.pass_time(2)
    assert scene.store.write(expire_due, 10) == 1
    assert scene.state(late) is State.EXPIRED
    scene.pass_time(4000)
    assert scene.store.write(release_due, 10) == []
    assert scene.broken() == []


def test_scheduled_jobs_are_counted_apart_by_lane_while_they_may_not_start(scene: Scene) -> None:
    job, _other = later(scene), later(scene, StartTime(7200.0, is_date=False))
    scene.submit()
    assert scene.store.read(count_scheduled) == {LANE: 2}
    scene.pass_time(3700)
    assert scene.store.read(count_scheduled) == {LANE: 1}
    scene.store.write(release_due, 10)
    scene.finish(failure(scene.claim(job, worker=scene.hire())[0], retry(600)))
    assert scene.store.read(count_scheduled) == {LANE: 1}  # a retry is no schedule
    [lane] = scene.store.read(list_lanes)
    assert lane.counts == {State.DELAYED: 2, State.QUEUED: 1}


def test_waits_are_measured_from_when_it_may_start(scene: Scene) -> None:
    job = later(scene)
    scene.pass_time(3700)
    scene.store.write(release_due, 10)
    assert 99 < scene.store.read(oldest_wait, LANE) < 110
    scene.finish(success(scene.claim(job, worker=scene.hire())[0]))
    counters = scene.store.read(read_counters)
    for name in ("queue_wait", "job_seconds"):
        assert 99 < counters.histogram(name).sum < 110, name
    assert scene.store.read(oldest_wait, LANE) == 0.0


def test_the_oldest_is_found_behind_one_that_was_made_before_it_and_started_later(scene: Scene) -> None:
    later(scene)
    scene.submit()
    scene.pass_time(3601)
    scene.store.write(release_due, 10)
    assert scene.store.read(oldest_wait, LANE) > 3600


def test_what_a_start_time_is_written_as_reads_as_the_same() -> None:
    for text in ("2h", "2026-12-24T18:00:00+00:00", "1.5s", "0s"):
        start = parse_start(text)
        assert start is not None
        assert parse_start(str(start)) == start
