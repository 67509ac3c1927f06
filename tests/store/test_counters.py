"""Counters move with what they count, in the same transaction, and no look at them counts a row."""

import pytest

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.cancel import cancel_job
from holdfast.store.claim import claim
from holdfast.store.counters import MOST_CODES, dead_by_fault, prune_pace, read_counters, read_pace, recount_dead
from holdfast.store.fleet import register_worker, take_over
from store.scene import ROUTE, Scene, bury, failure, permit, reroute, retry, success

OTHER_ROUTE = "openai/gpt"


def unfamiliar(code: str | None, status: int = 418) -> Fault:
    return Fault(FaultKind.INVALID_REQUEST, "what?", status=status, code=code, unfamiliar=True)


def of(scene: Scene, name: str) -> dict[tuple[str, ...], int]:
    return dict(scene.store.read(read_counters).of(name))


def test_a_call_is_counted_once_with_its_tokens_and_its_cost(scene: Scene) -> None:
    done = success(scene.start())
    scene.finish(done)
    scene.finish(done)
    assert of(scene, "calls") == {(ROUTE, "succeeded"): 1}
    assert of(scene, "tokens") == {(ROUTE, "input"): 12, (ROUTE, "output"): 3}
    assert of(scene, "cost") == {(ROUTE,): 7}
    assert of(scene, "jobs") == {("smart", "succeeded"): 1}


def test_what_a_refused_write_found_out_of_its_call_is_counted_all_the_same(scene: Scene) -> None:
    claimed = scene.start()
    scene.store.write(cancel_job, claimed.id)
    assert scene.finish(success(claimed)) == [False]
    assert of(scene, "calls") == {(ROUTE, "succeeded"): 1}
    assert of(scene, "jobs") == {("smart", "cancelled"): 1}


def test_faults_are_counted_by_route_and_kind(scene: Scene) -> None:
    scene.finish(failure(scene.start(), retry()), failure(scene.start(), retry()))
    assert of(scene, "faults") == {(ROUTE, "overloaded"): 2}


def test_a_call_whose_worker_died_is_counted_as_unknown(scene: Scene) -> None:
    scene.start()
    scene.pass_time(16)
    scene.store.write(take_over)
    assert of(scene, "calls") == {(ROUTE, "unknown"): 1}


def test_a_job_that_is_called_on_another_route_than_before_counts_as_rerouted(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, reroute({ROUTE: None})))
    scene.store.write(claim, scene.worker, [permit(claimed.id, OTHER_ROUTE)])
    again = scene.start()
    scene.finish(failure(again, retry(0)))
    scene.claim(again.id)
    assert of(scene, "reroutes") == {(ROUTE, OTHER_ROUTE, "overloaded"): 1}


def test_a_code_that_no_table_knows_is_counted_for_the_fleet(scene: Scene) -> None:
    for code in ("new_code", "new_code", None, "<b>strange</b>", "x" * 61):
        scene.finish(failure(scene.start(), bury(), unfamiliar(code)))
    provider = ROUTE.partition("/")[0]
    assert of(scene, "unknown_codes") == {(provider, "new_code"): 2, (provider, "418"): 1, (provider, "other"): 2}


def test_a_provider_that_makes_up_codes_does_not_make_up_labels_without_end(scene: Scene) -> None:
    for number in range(MOST_CODES + 5):
        scene.finish(failure(scene.start(), bury(), unfamiliar(f"code_{number}")))
    counted = of(scene, "unknown_codes")
    assert len(counted) == MOST_CODES + 1
    assert counted[ROUTE.partition("/")[0], "other"] == 5


def test_dead_letters_are_counted_by_fault_through_replay_and_drop(scene: Scene) -> None:
    jobs = [scene.held_in(State.DEAD).id for _ in range(4)]
    poison = scene.start()
    scene.sql("update job set crashes = 2 where id = :id", id=poison.id)
    scene.pass_time(16)
    scene.store.write(take_over)
    assert scene.store.read(dead_by_fault, scene.store.read(read_counters)) == {"invalid_request": 4, "poison": 1}
    scene.replay(JobFilter(ids=(jobs[0],)), 10, None, "t")
    scene.drop(JobFilter(ids=(jobs[1],)), 10, "t")
    scene.drop(JobFilter(fault=FaultKind.POISON), 10, "t")
    assert of(scene, "dead") == {("invalid_request",): 2, ("poison",): 0}
    assert scene.store.read(dead_by_fault, scene.store.read(read_counters)) == {"invalid_request": 2}
    scene.pass_time(100)
    scene.delete_ended(-1000.0)
    assert scene.store.read(dead_by_fault, scene.store.read(read_counters)) == {}
    assert not scene.broken()


def test_counters_that_older_code_left_behind_are_not_believed_and_set_right(scene: Scene) -> None:
    scene.held_in(State.DEAD)
    scene.sql("update counter set amount = amount + 3 where name = 'dead'")
    scene.sql("insert into counter values ('dead', '[\"poison\"]', 7, 2)")
    assert scene.store.read(dead_by_fault, scene.store.read(read_counters)) == {"invalid_request": 1}
    scene.store.write(recount_dead)
    scene.store.write(recount_dead)
    assert of(scene, "dead") == {("invalid_request",): 1, ("poison",): 0}


def test_what_ended_keeps_counting_when_old_jobs_are_replayed_or_forgotten(scene: Scene) -> None:
    job = scene.held_in(State.DEAD).id
    scene.replay(JobFilter(ids=(job,)), 10, None, "t")
    assert of(scene, "jobs") == {("smart", "dead"): 1}


@pytest.mark.parametrize(("seconds", "bound"), [(-9.0, "0.1"), (45.0, "60"), (100_000.0, "+Inf")])
def test_how_long_jobs_took_is_kept_in_bounds_that_never_change(scene: Scene, seconds: float, bound: str) -> None:
    jobs = scene.submit(2)
    scene.pass_time(seconds)
    scene.store.write(register_worker, scene.worker, "host", 1, "1.0", lease=1000.0)
    for claimed in scene.claim(*jobs):
        scene.finish(success(claimed))
    counters = scene.store.read(read_counters)
    for name in ("queue_wait", "job_seconds"):
        told = counters.histogram(name)
        within = dict(told.buckets)
        bounds = list(within)
        assert within[bound] == within["+Inf"] == 2
        assert all(within[lower] == 0 for lower in bounds[: bounds.index(bound)])
        assert 2 * max(0, seconds) <= told.sum < 2 * max(0, seconds) + 10


def test_only_the_first_claim_of_a_job_is_a_wait(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, retry(0)))
    scene.claim(claimed.id)
    assert dict(scene.store.read(read_counters).histogram("queue_wait").buckets)["+Inf"] == 1


def test_the_pace_of_a_lane_is_kept_by_slots_of_time_and_forgotten(scene: Scene) -> None:
    assert scene.store.read(read_pace, 60.0) == {}
    scene.finish(success(scene.start()), success(scene.start()))
    scene.finish(failure(scene.start(), retry()))
    ((age, ended), *_) = scene.store.read(read_pace, 60.0)["smart.batch"]
    assert (0 <= age < 60, sum(n for _, n in scene.store.read(read_pace, 60.0)["smart.batch"]), ended > 0) == (
        True,
        2,
        True,
    )
    scene.store.write(prune_pace, -10.0)
    assert scene.store.read(read_pace, 60.0) == {}
