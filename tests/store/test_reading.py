"""Batches, lists, details and what ended: how those who wait look at their jobs."""

import pytest

from holdfast.model.errors import Conflict, NotFound
from holdfast.model.fault import FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Priority, State
from holdfast.model.records import JobFilter, JobRecord
from holdfast.store.batches import count_unfinished, find_batch, list_batches, open_batch
from holdfast.store.cancel import cancel_batch, cancel_job
from holdfast.store.jobs import find_detail, find_finished, find_job, list_finished, list_jobs, read_states
from store.scene import Scene, bury, failure, retry, success


def new_batch(scene: Scene, tenant: str = "default") -> str:
    return scene.store.write(open_batch, new_id(), "mine", tenant).id


def test_opening_a_batch_again_finds_it(scene: Scene) -> None:
    first = scene.store.write(open_batch, new_id(), "mine", "default", "in.jsonl")
    assert scene.store.write(open_batch, first.id, "other name", "default") == first
    assert (first.name, first.counts, first.total) == ("mine", {}, 0)


def test_a_batch_of_another_tenant_is_not_found_and_not_taken(scene: Scene) -> None:
    batch = new_batch(scene, tenant="a")
    assert scene.store.read(find_batch, batch, tenant="b") is None
    assert scene.store.read(find_batch, batch) is not None
    with pytest.raises(Conflict):
        scene.store.write(open_batch, batch, "mine", "b")


def test_a_batch_counts_its_jobs_by_state(scene: Scene) -> None:
    batch = new_batch(scene)
    first, second, third, _ = scene.submit(4, batch=batch)
    done, late, lost = scene.claim(first, second, third)
    scene.finish(success(done), failure(late, retry()), failure(lost, bury()))
    found = scene.store.read(find_batch, batch)
    assert found is not None
    assert found.counts == {State.SUCCEEDED: 1, State.DELAYED: 1, State.DEAD: 1, State.QUEUED: 1}
    assert found.total == 4
    assert scene.store.read(count_unfinished, batch) == 2


def test_batches_are_listed_newest_first_page_by_page(scene: Scene) -> None:
    ids = sorted(new_id() for _ in range(3))
    for batch in ids:
        scene.store.write(open_batch, batch, "mine", "a")
    scene.store.write(open_batch, new_id(), "theirs", "b")
    page = [batch.id for batch in scene.store.read(list_batches, "a", limit=2)]
    assert page == [ids[2], ids[1]]
    assert [batch.id for batch in scene.store.read(list_batches, "a", limit=2, before=page[-1])] == [ids[0]]
    assert len(scene.store.read(list_batches)) == 4


def test_cancelling_a_batch_ends_what_lives_and_only_that(scene: Scene) -> None:
    batch = new_batch(scene)
    jobs = scene.submit(4, batch=batch)
    [other] = scene.submit()
    done, running, late = scene.claim(*jobs[:3])
    scene.finish(success(done), failure(late, retry()))
    assert cancel_batch(scene.store, batch, tenant="stranger") == 0
    assert cancel_batch(scene.store, batch) == 3
    assert [scene.state(job) for job in jobs] == [State.SUCCEEDED] + [State.CANCELLED] * 3
    assert scene.state(other) is State.QUEUED
    assert scene.finish(success(running)) == [False]
    assert not scene.broken()


def test_cancelling_answers_the_state_and_leaves_what_has_ended(scene: Scene) -> None:
    [job] = scene.submit()
    claimed = scene.start()
    scene.finish(success(claimed))
    assert scene.store.write(cancel_job, job) is State.CANCELLED
    assert scene.store.write(cancel_job, job) is State.CANCELLED
    assert scene.store.write(cancel_job, claimed.id) is State.SUCCEEDED


def test_a_strangers_job_is_not_found(scene: Scene) -> None:
    [job] = scene.submit(tenant="a")
    assert scene.store.read(find_job, job, tenant="b") is None
    assert scene.store.read(find_detail, job, tenant="b") is None
    for id_ in (job, new_id()):
        with pytest.raises(NotFound):
            scene.store.write(cancel_job, id_, tenant="b")
    assert scene.state(job) is State.QUEUED


def test_finished_jobs_come_in_the_order_of_the_input_and_live_ones_leave_gaps(scene: Scene) -> None:
    batch = new_batch(scene)
    jobs = scene.submit(5, batch=batch)
    held = scene.claim(*jobs[:4])
    scene.finish(success(held[3]), failure(held[0], bury()), success(held[1]))
    finished = scene.store.read(list_finished, batch)
    assert [done.job.position for done in finished] == [0, 1, 3]
    assert [done.result.state for done in finished] == [State.DEAD, State.SUCCEEDED, State.SUCCEEDED]
    assert [done.job.id for done in scene.store.read(list_finished, batch, after=0, limit=1)] == [jobs[1]]
    assert scene.store.read(list_finished, new_id()) == []


def test_the_order_of_the_input_is_not_that_in_which_jobs_were_made(scene: Scene) -> None:
    batch = new_batch(scene)
    jobs = [scene.submit(batch=batch, position=place)[0] for place in (2, 1, 0)]
    scene.finish(*(success(claimed) for claimed in scene.claim(*jobs)))
    assert [done.job.id for done in scene.store.read(list_finished, batch)] == jobs[::-1]


def test_a_replayed_job_is_finished_with_the_result_of_its_last_generation(scene: Scene) -> None:
    batch = new_batch(scene)
    claimed = scene.start(batch=batch)
    scene.finish(failure(claimed, bury()))
    scene.replay(JobFilter(), 10, None, "me")
    [again] = scene.claim(claimed.id)
    assert scene.store.read(list_finished, batch) == []
    scene.finish(success(again))
    [done] = scene.store.read(list_finished, batch)
    assert (done.result.generation, done.result.state) == (2, State.SUCCEEDED)


def test_jobs_are_listed_newest_first_page_by_page(scene: Scene) -> None:
    ids = sorted(scene.submit(5), reverse=True)
    page = [job.id for job in scene.store.read(list_jobs, JobFilter(), limit=3)]
    assert page == ids[:3]
    assert [job.id for job in scene.store.read(list_jobs, JobFilter(), limit=3, cursor=page[-1])] == ids[3:]


def test_every_field_of_the_filter_narrows(scene: Scene) -> None:
    batch = new_batch(scene)
    claimed = scene.start(batch=batch, tenant="a", model="fast")
    scene.finish(failure(claimed, bury()))
    scene.submit(2)
    job = scene.job(claimed.id)
    assert job.finished_at is not None
    filters = [
        JobFilter(tenant="a"),
        JobFilter(states=frozenset({State.DEAD, State.EXPIRED})),
        JobFilter(model="fast"),
        JobFilter(lane="fast.batch"),
        JobFilter(batch=batch),
        JobFilter(fault=FaultKind.INVALID_REQUEST),
        JobFilter(ids=(claimed.id, new_id())),
        JobFilter(created_before=job.created_at + 0.000001),
        JobFilter(finished_after=job.finished_at),
        JobFilter(finished_before=job.finished_at + 60),
    ]
    for where in filters:
        assert [found.id for found in scene.store.read(list_jobs, where)] == [claimed.id], where
    assert len(scene.store.read(list_jobs, JobFilter(created_after=job.created_at))) == 3
    assert scene.store.read(list_jobs, JobFilter(ids=())) == []
    assert scene.store.read(list_jobs, JobFilter(finished_before=job.finished_at)) == []


def test_states_are_told_for_known_ids_only(scene: Scene) -> None:
    [job] = scene.submit()
    assert scene.store.read(read_states, [job, new_id()]) == {job: State.QUEUED}
    assert scene.store.read(read_states, []) == {}


def test_the_detail_tells_every_attempt_of_every_generation(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry(0)))
    scene.finish(failure(scene.claim(claimed.id)[0], bury()))
    scene.replay(JobFilter(), 10, None, "me")
    scene.claim(claimed.id)
    assert [(attempt.generation, attempt.number) for attempt in scene.attempts(claimed.id)] == [(1, 1), (1, 2), (2, 1)]
    detail = scene.store.read(find_detail, claimed.id)
    assert detail is not None
    assert detail.result is None
    assert scene.store.read(find_detail, new_id()) is None


def test_lists_by_state_lane_model_and_tenant_are_the_newest_in_order(scene: Scene) -> None:
    jobs = [
        *scene.submit(3, tenant="a", model="smart"),
        *scene.submit(3, tenant="b", model="fast"),
        *scene.submit(3, tenant="a", model="fast", priority=Priority.INTERACTIVE),
    ]
    scene.finish(*(success(job) for job in scene.claim(*jobs[::2])))
    for where in (
        JobFilter(states=frozenset({State.QUEUED})),
        JobFilter(states=frozenset({State.QUEUED, State.SUCCEEDED}), tenant="a"),
        JobFilter(lane="fast.interactive"),
        JobFilter(model="fast"),
        JobFilter(model="fast", tenant="b", states=frozenset({State.SUCCEEDED})),
        JobFilter(tenant="nobody"),
        JobFilter(states=frozenset()),
        JobFilter(),
    ):
        fits = [id_ for id_ in sorted(jobs, reverse=True) if suits(scene.job(id_), where)]
        assert [job.id for job in scene.store.read(list_jobs, where)] == fits
        paged = scene.store.read(list_jobs, where, limit=2)
        rest = scene.store.read(list_jobs, where, cursor=paged[-1].id) if paged else []
        assert [job.id for job in [*paged, *rest]] == fits


def suits(job: JobRecord, where: JobFilter) -> bool:
    wanted = {"tenant": where.tenant, "model": where.model, "lane": where.lane}
    same = all(value is None or getattr(job, name) == value for name, value in wanted.items())
    return same and (where.states is None or job.state in where.states)


def test_more_lanes_than_one_statement_can_ask_for_are_listed_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job for number in range(4) for job in scene.submit(model=f"m{number}")]
    monkeypatch.setattr("holdfast.store.jobs.MOST_PARTS", 3)
    assert [job.id for job in scene.store.read(list_jobs, JobFilter(states=frozenset({State.QUEUED})))] == sorted(jobs)[
        ::-1
    ]


def test_of_jobs_that_are_there_it_is_found_how_they_ended(scene: Scene) -> None:
    ended, dead, alive = scene.submit(3)
    done, lost = scene.claim(ended, dead)
    scene.finish(success(done), failure(lost, bury()))
    found = scene.store.read(find_finished, [ended, dead, alive, "nobody"])
    assert found.keys() == {ended, dead, alive}
    details = {job: scene.store.read(find_detail, job) for job in (ended, dead)}
    assert {job: (end.job, end.result) for job, end in found.items() if end} == {
        job: (detail.job, detail.result) for job, detail in details.items() if detail
    }
