"""What waits, in which order, and how it is counted."""

from functools import partial

from holdfast.model.ids import new_id
from holdfast.model.job import Priority, State
from holdfast.model.records import JobFilter
from holdfast.model.step import Reroute
from holdfast.store.backlog import avoided_by_heads, lane_heads, list_lanes, release_due
from holdfast.store.cancel import expire_due
from holdfast.store.jobs import count_jobs, find_detail
from holdfast.store.overrides import read_overrides, set_override
from store.scene import Scene, failure, retry, success


def test_the_nearest_deadline_heads_the_lane_then_the_oldest(scene: Scene) -> None:
    ids = sorted(new_id() for _ in range(4))
    scene.submit(id=ids[2])
    scene.submit(id=ids[1])
    scene.submit(id=ids[3], expires_in=60)
    scene.submit(id=ids[0], expires_in=3600)
    assert [offer.id for offer in scene.store.read(lane_heads, "smart.batch", 10)] == [ids[3], ids[0], ids[1], ids[2]]
    assert [offer.id for offer in scene.store.read(lane_heads, "smart.batch", 1)] == [ids[3]]


def test_a_lane_heads_only_its_own_queued_jobs(scene: Scene) -> None:
    [mine] = scene.submit(priority=Priority.INTERACTIVE)
    scene.submit()
    scene.submit(model="fast")
    scene.start(priority=Priority.INTERACTIVE)
    assert [offer.id for offer in scene.store.read(lane_heads, "smart.interactive", 10)] == [mine]


def test_an_expired_job_heads_nothing(scene: Scene) -> None:
    scene.submit(expires_in=60)
    scene.pass_time(61)
    assert scene.store.read(lane_heads, "smart.batch", 10) == []


def test_due_jobs_are_released_once_oldest_date_first_up_to_the_limit(scene: Scene) -> None:
    jobs = scene.claim(*scene.submit(3))
    scene.finish(*(failure(job, retry(delay)) for job, delay in zip(jobs, (30, 10, 20), strict=True)))
    scene.pass_time(40)
    first = [offer.id for offer in scene.store.write(release_due, 2)]
    rest = [offer.id for offer in scene.store.write(release_due, 2)]
    assert sorted(first) == sorted([jobs[1].id, jobs[2].id])
    assert rest == [jobs[0].id]
    assert scene.store.write(release_due, 2) == []


def test_waiting_jobs_past_their_deadline_expire_with_a_record(scene: Scene) -> None:
    [queued] = scene.submit(expires_in=60)
    [patient] = scene.submit()
    delayed = scene.start(expires_in=60)
    scene.finish(failure(delayed, retry(50)))
    running = scene.start(expires_in=60)
    scene.pass_time(61)
    assert scene.store.write(expire_due, 1) == 1
    assert scene.store.write(expire_due, 10) == 1
    assert scene.store.write(expire_due, 10) == 0
    states = [scene.state(job) for job in (queued, delayed.id, patient, running.id)]
    assert states == [State.EXPIRED, State.EXPIRED, State.QUEUED, State.RUNNING]
    detail = scene.store.read(find_detail, delayed.id)
    assert detail is not None
    assert detail.result is not None
    assert str(detail.result.message).startswith("expires_at passed while it waited: overloaded (HTTP 529)")


def test_lanes_are_counted_by_state_without_looking_at_jobs(scene: Scene) -> None:
    scene.submit(3)
    scene.finish(success(scene.start()))
    scene.start(priority=Priority.INTERACTIVE)
    scene.sql("update job set lane = 'elsewhere'")
    batch, interactive = scene.store.read(list_lanes)
    assert (batch.lane, batch.counts) == ("smart.batch", {State.QUEUED: 3, State.SUCCEEDED: 1})
    assert (interactive.lane, interactive.counts) == ("smart.interactive", {State.RUNNING: 1})


def test_a_paused_lane_is_listed_even_before_its_first_job(scene: Scene) -> None:
    scene.store.write(set_override, "lane", "new.batch", "paused", "me")
    assert [(lane.lane, lane.paused) for lane in scene.store.read(list_lanes)] == [("new.batch", True)]
    scene.store.write(set_override, "lane", "new.batch", None, "me")
    assert scene.store.read(list_lanes) == []


def test_an_override_is_replaced_and_taken_away_and_written_down(scene: Scene) -> None:
    scene.store.write(set_override, "route", "a/b", "open", "ann")
    scene.store.write(set_override, "route", "a/b", "closed", "bob")
    assert scene.store.read(read_overrides) == {("route", "a/b"): "closed"}
    scene.store.write(set_override, "route", "a/b", None, "bob")
    assert scene.store.read(read_overrides) == {}
    assert [row.actor for row in scene.rows("select actor from audit order by id")] == ["ann", "bob", "bob"]


def test_counting_follows_the_filter(scene: Scene) -> None:
    scene.submit(2)
    scene.start(model="fast")
    assert scene.store.read(count_jobs, JobFilter()) == 3
    assert scene.store.read(count_jobs, JobFilter(model="fast")) == 1
    assert scene.store.read(count_jobs, JobFilter(states=frozenset())) == 0


def test_what_the_head_of_a_lane_must_not_take_is_counted_by_sets_and_only_while_it_lasts(scene: Scene) -> None:
    jobs = scene.claim(*scene.submit(5))
    avoids = ({"a/m": None}, {"a/m": None, "b/m": 60.0}, {"b/m": 60.0, "c/m": -1.0}, {"a/m": -1.0}, {})
    steps = [Reroute(avoid, uses_attempt=False) for avoid in avoids]
    scene.finish(*(failure(job, step) for job, step in zip(jobs, steps, strict=True)))
    read = partial(scene.store.read, avoided_by_heads, "smart.batch")
    assert read(10) == {frozenset({"a/m"}): 1, frozenset({"a/m", "b/m"}): 1, frozenset({"b/m"}): 1}
    assert read(2).total() <= 2
