"""A job that its worker can record nothing of is given up: once it starts again, the second time it is dead."""

from holdfast.model.fault import FaultKind
from holdfast.model.job import Outcome, State
from holdfast.store.break_off import break_off, refuse_claim
from holdfast.store.cancel import cancel_job
from holdfast.store.counters import read_counters
from holdfast.store.jobs import find_detail
from store.scene import ROUTE, Scene, permit

WHY = "KeyError in holdfast.wire.reply"


def give_up(scene: Scene, job: str, worker: str | None = None, *, sent: bool = True) -> list[str]:
    """Break a job off; the jobs that are to be offered."""
    return [offer.id for offer in scene.store.write(break_off, worker or scene.worker, job, WHY, sent=sent)]


def ends(scene: Scene, job: str) -> list[tuple[Outcome | None, str | None]]:
    return [(each.outcome, each.code) for each in scene.attempts(job)]


def test_the_first_time_it_is_queued_again_with_its_call_counted(scene: Scene) -> None:
    job = scene.start().id
    assert give_up(scene, job) == [job]
    assert (scene.state(job), scene.job(job).calls, scene.job(job).why_waiting) == (State.QUEUED, 1, WHY)
    assert ends(scene, job) == [(Outcome.UNKNOWN, "exception")]
    assert scene.claim(job)[0].exceptions == 1
    assert not scene.broken()


def test_the_second_time_it_is_dead_with_what_broke(scene: Scene) -> None:
    job = scene.start().id
    give_up(scene, job)
    scene.claim(job)
    assert give_up(scene, job) == []
    found = scene.store.read(find_detail, job)
    assert found is not None
    assert found.result is not None
    assert (found.job.state, found.job.calls, found.result.fault) == (State.DEAD, 2, FaultKind.INTERNAL)
    assert WHY in (found.result.message or "")
    assert not scene.broken()


def test_exceptions_are_counted_by_route_and_the_dead_by_fault(scene: Scene) -> None:
    job = scene.start().id
    give_up(scene, job)
    scene.claim(job)
    give_up(scene, job)
    counters = scene.store.read(read_counters)
    assert counters.of("exceptions") == {(ROUTE,): 2}
    assert counters.of("dead") == {("ours",): 1}


def test_a_call_that_did_not_leave_is_abandoned_and_not_counted(scene: Scene) -> None:
    job = scene.start().id
    give_up(scene, job, sent=False)
    assert (scene.job(job).calls, ends(scene, job)) == (0, [(Outcome.ABANDONED, "exception")])


def test_a_job_that_another_worker_holds_is_left_alone(scene: Scene) -> None:
    job = scene.start().id
    assert give_up(scene, job, scene.hire()) == []
    assert (scene.state(job), ends(scene, job)) == (State.RUNNING, [(None, None)])


def test_of_a_job_that_ended_meanwhile_the_call_ends(scene: Scene) -> None:
    job = scene.start().id
    scene.store.write(cancel_job, job)
    assert give_up(scene, job) == []
    assert (scene.state(job), ends(scene, job)) == (State.CANCELLED, [(Outcome.UNKNOWN, "exception")])
    assert not scene.broken()


def test_a_job_that_cannot_be_claimed_is_dead_the_second_time_without_a_call(scene: Scene) -> None:
    [job] = scene.submit()
    for _ in range(2):
        scene.store.write(refuse_claim, scene.worker, permit(job), WHY)
    assert (scene.state(job), scene.job(job).calls) == (State.DEAD, 0)
    assert ends(scene, job) == [(Outcome.ABANDONED, "exception")] * 2
    assert not scene.broken()
