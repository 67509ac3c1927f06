"""Leases: a worker that dies loses its jobs once its lease runs out, and a job that kills workers is buried."""

from holdfast.model.fault import FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import MAX_CRASHES, Outcome, State
from holdfast.model.records import TakenOver
from holdfast.store.backlog import lane_heads
from holdfast.store.cancel import cancel_job
from holdfast.store.fleet import list_workers, register_worker, renew_lease, stop_worker, take_over
from holdfast.store.jobs import find_detail
from holdfast.store.requeue import find_held, requeue
from store.scene import Scene, failure, retry, success


def test_a_worker_is_live_until_its_lease_runs_out(scene: Scene) -> None:
    assert [worker.id for worker in scene.store.read(list_workers)] == [scene.worker]
    scene.pass_time(16)
    assert scene.store.read(list_workers) == []
    assert [worker.id for worker in scene.store.read(list_workers, live_only=False)] == [scene.worker]


def test_a_renewed_lease_keeps_the_jobs(scene: Scene) -> None:
    claimed = scene.start()
    scene.pass_time(10)
    assert scene.store.write(renew_lease, scene.worker, 15)
    scene.pass_time(10)
    assert scene.store.write(take_over) == []
    assert scene.state(claimed.id) is State.RUNNING


def test_a_lease_that_ran_out_unnoticed_may_still_be_renewed(scene: Scene) -> None:
    scene.start()
    scene.pass_time(16)
    assert scene.store.write(renew_lease, scene.worker, 15)
    assert scene.store.write(take_over) == []


def test_a_dead_workers_jobs_are_queued_again(scene: Scene) -> None:
    jobs = scene.submit(3)
    scene.claim(*jobs)
    scene.pass_time(16)
    assert scene.store.write(take_over) == [TakenOver(scene.worker, requeued=3, poisoned=0)]
    assert not scene.store.write(renew_lease, scene.worker, 15)
    assert {scene.state(job) for job in jobs} == {State.QUEUED}
    assert [offer.id for offer in scene.store.read(lane_heads, "smart.batch", 10)] == sorted(jobs)
    [attempt] = scene.attempts(jobs[0])
    assert (attempt.outcome, attempt.message) == (Outcome.UNKNOWN, "its worker died")
    assert (scene.job(jobs[0]).crashes, scene.job(jobs[0]).calls, scene.job(jobs[0]).attempts) == (1, 1, 0)


def test_a_dead_worker_is_taken_over_once(scene: Scene) -> None:
    scene.start()
    scene.pass_time(16)
    assert len(scene.store.write(take_over)) == 1
    assert scene.store.write(take_over) == []


def test_an_idle_dead_worker_is_told_too(scene: Scene) -> None:
    scene.pass_time(16)
    assert scene.store.write(take_over) == [TakenOver(scene.worker, requeued=0, poisoned=0)]


def test_a_job_that_kills_its_worker_three_times_is_poison(scene: Scene) -> None:
    [poison] = scene.submit()
    for crash in range(1, MAX_CRASHES + 1):
        worker = scene.hire()
        assert len(scene.claim(poison, worker=worker)) == 1
        scene.pass_time(16)
        [taken] = [each for each in scene.store.write(take_over) if each.worker == worker]
        assert taken.poisoned == (crash == MAX_CRASHES)
    detail = scene.store.read(find_detail, poison)
    assert detail is not None
    assert detail.result is not None
    assert (detail.job.state, detail.job.fault) == (State.DEAD, FaultKind.POISON)
    assert detail.result.message == "its worker died 3 times while it held the job"
    assert not scene.broken()


def test_jobs_of_a_worker_that_nobody_knows_are_taken_over(scene: Scene) -> None:
    claimed = scene.start()
    scene.sql("delete from worker")
    assert scene.store.write(take_over) == [TakenOver(scene.worker, requeued=1, poisoned=0)]
    assert scene.state(claimed.id) is State.QUEUED


def test_jobs_of_a_worker_that_stopped_without_handing_them_back_are_taken_over(scene: Scene) -> None:
    scene.start()
    scene.store.write(stop_worker, scene.worker)
    assert scene.store.write(take_over) == [TakenOver(scene.worker, requeued=1, poisoned=0)]


def test_the_open_call_of_a_cancelled_job_ends_with_its_worker(scene: Scene) -> None:
    claimed = scene.start()
    scene.store.write(cancel_job, claimed.id)
    scene.pass_time(16)
    scene.store.write(take_over)
    [attempt] = scene.attempts(claimed.id)
    assert attempt.outcome is Outcome.UNKNOWN
    assert scene.state(claimed.id) is State.CANCELLED


def test_live_workers_keep_theirs(scene: Scene) -> None:
    mine = scene.start()
    scene.pass_time(16)
    other = scene.hire()
    [theirs] = scene.claim(*scene.submit(), worker=other)
    scene.store.write(take_over)
    assert (scene.state(mine.id), scene.state(theirs.id)) == (State.QUEUED, State.RUNNING)


def test_a_worker_that_was_taken_over_comes_back_by_registering(scene: Scene) -> None:
    scene.pass_time(16)
    scene.store.write(take_over)
    scene.store.write(register_worker, scene.worker, "host", 2, "1.0", lease=15)
    assert scene.store.write(renew_lease, scene.worker, 15)


def test_a_stopped_worker_cannot_renew(scene: Scene) -> None:
    scene.store.write(stop_worker, scene.worker)
    assert not scene.store.write(renew_lease, scene.worker, 15)
    assert not scene.store.write(renew_lease, new_id(), 15)


def test_crashes_are_forgiven_to_nobody_else(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry(0)))
    [again] = scene.claim(claimed.id)
    scene.finish(success(again))
    assert scene.job(claimed.id).crashes == 0


def test_a_take_over_asks_whether_it_may_once_it_has_its_turn(scene: Scene) -> None:
    claimed = scene.start()
    scene.pass_time(16)
    assert scene.store.write(take_over, lambda: False) == []
    assert scene.state(claimed.id) is State.RUNNING
    assert [dead.requeued for dead in scene.store.write(take_over, lambda: True)] == [1]


def test_a_worker_gives_back_its_own_jobs_alone(scene: Scene) -> None:
    """It does not know whether a claim that failed half-way made a job its own."""
    claimed = scene.start()
    assert scene.store.write(requeue, scene.hire(), [claimed.id]) == []
    assert (scene.state(claimed.id), scene.job(claimed.id).worker) == (State.RUNNING, scene.worker)
    assert [offer.id for offer in scene.store.write(requeue, scene.worker, [claimed.id])] == [claimed.id]


def test_a_worker_holds_what_runs_under_it_and_what_it_has_a_call_open_for(scene: Scene) -> None:
    running, cancelled, ended = scene.claim(*scene.submit(3))
    scene.store.write(cancel_job, cancelled.id)
    scene.finish(success(ended))
    scene.claim(*scene.submit(), worker=scene.hire())
    assert scene.store.read(find_held, scene.worker) == {running.id, cancelled.id}
