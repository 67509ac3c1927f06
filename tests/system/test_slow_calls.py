"""Slow is a failure too: hung calls of an ill route are left, and a plan that hedges waits for none of them."""

from collections import Counter

from holdfast.lab.providers.settings import InjectedFault
from holdfast.model.fault import FaultKind
from holdfast.model.job import Outcome
from holdfast.store.jobs import find_detail, find_job
from system.fleet import Fleet

FIRST, SECOND = "first/claude-sim", "second/gpt-sim"
DEADLINE, LONG = 300, 150.0  # seconds: what is left ends long before the one, on any machine within the other


def attempts(fleet: Fleet, batch: str) -> dict[str, list]:
    """The calls of each job, in order."""
    return {job.id: list(fleet.store.read(find_detail, job.id).attempts) for job in fleet.jobs(batch)}


def ends(fleet: Fleet, batch: str) -> Counter:
    """How many calls ended how, by their number."""
    calls = [call for of_job in attempts(fleet, batch).values() for call in of_job]
    return Counter((call.number, call.outcome, call.fault) for call in calls)


def longest(fleet: Fleet, provider: int = 0) -> float:
    """Seconds that the longest call at a provider took, as the provider saw it."""
    return max(call["ended"] - call["started"] for call in fleet.sims[provider].calls())


def test_calls_that_hang_open_the_breaker_before_they_end_and_are_left_for_another_route(build):
    fleet = build(slow_after="500ms", deadline=f"{DEADLINE}s")
    fleet.worker()
    fleet.until_done(fleet.submit(20, model="two"))  # what is typical here is known now
    for sim in fleet.sims:
        sim.reset()
    fleet.sims[0].break_(InjectedFault(mode="hang"))
    batch = fleet.submit(10, model="two")
    fleet.until_done(batch, at_most=LONG)
    assert fleet.succeeded(batch) == 10
    assert longest(fleet) < DEADLINE
    assert fleet.sims[1].counts()["by_status"] == {"200": 10}
    left = [calls[0] for calls in attempts(fleet, batch).values() if len(calls) > 1]
    assert {(call.route, call.outcome, call.fault) for call in left} == {(FIRST, Outcome.UNKNOWN, FaultKind.TIMED_OUT)}
    assert all(fleet.store.read(find_job, call.job).calls == 2 for call in left)
    assert fleet.broken(batch) == []


def test_a_call_that_is_late_on_a_route_that_is_well_is_waited_for(build):
    fleet = build(slow_after="500ms")
    fleet.worker()
    fleet.until_done(fleet.submit(20, model="two"))
    fleet.sims[0].break_(InjectedFault(mode="slow", delay=3.0))
    batch = fleet.submit(1, model="two")
    fleet.until_done(batch, at_most=LONG)
    [calls] = attempts(fleet, batch).values()
    assert [(call.route, call.outcome) for call in calls] == [(FIRST, Outcome.SUCCEEDED)]


def test_a_hedged_job_is_answered_by_its_second_call_and_the_first_is_cancelled_and_on_record(build):
    fleet = build(deadline=f"{DEADLINE}s")
    fleet.sims[0].break_(InjectedFault(mode="slow", delay=DEADLINE - 1))
    fleet.worker()
    batch = fleet.submit(5, model="hedged")
    fleet.until_done(batch, at_most=LONG)
    assert fleet.succeeded(batch) == 5
    for job, (first, second) in attempts(fleet, batch).items():
        assert (first.route, first.outcome, first.fault) == (FIRST, Outcome.UNKNOWN, FaultKind.HEDGE_PRIMARY_LOST)
        assert (second.route, second.outcome, second.fence) == (SECOND, Outcome.SUCCEEDED, first.fence)
        result = fleet.store.read(find_detail, job).result
        assert (result.route, result.attempts) == (SECOND, 2)
        assert fleet.store.read(find_job, job).calls == 2
    fleet.until(lambda: fleet.sims[0].counts()["in_flight"] == 0)
    assert longest(fleet) < DEADLINE
    assert fleet.sims[0].counts()["calls"] == fleet.sims[1].counts()["calls"] == 5
    assert fleet.broken(batch) == []
    fleet.until(lambda: list(fleet.redis().scan_iter("{hf}:slots:*")) == [])


def test_a_first_call_that_answers_after_all_wins_and_the_second_is_cancelled(build):
    fleet = build(latency=(1.0, 1.0), deadline=f"{DEADLINE}s")
    fleet.sims[1].break_(InjectedFault(mode="slow", delay=DEADLINE - 1))
    fleet.worker()
    batch = fleet.submit(3, model="hedged")
    fleet.until_done(batch, at_most=LONG)
    ends = Counter(
        (call.number, call.outcome, call.fault) for calls in attempts(fleet, batch).values() for call in calls
    )
    assert ends == {(1, Outcome.SUCCEEDED, None): 3, (2, Outcome.UNKNOWN, FaultKind.HEDGE_SECONDARY_LOST): 3}
    assert fleet.broken(batch) == []


def test_a_first_call_that_fails_while_the_second_runs_costs_no_third(build):
    fleet = build(deadline=f"{DEADLINE}s")
    fleet.sims[0].break_(InjectedFault(mode="e500", delay=4.0))
    fleet.sims[1].break_(InjectedFault(mode="slow", delay=8.0))
    fleet.worker()
    batch = fleet.submit(3, model="hedged")
    fleet.until_done(batch, at_most=LONG)
    ends = Counter(
        (call.number, call.outcome, call.fault) for calls in attempts(fleet, batch).values() for call in calls
    )
    assert ends == {(1, Outcome.FAILED, FaultKind.SERVER_ERROR): 3, (2, Outcome.SUCCEEDED, None): 3}
    assert fleet.broken(batch) == []


def test_a_hedged_job_whose_calls_both_fail_is_tried_again(build):
    fleet = build(deadline=f"{DEADLINE}s")
    fleet.sims[0].break_(InjectedFault(mode="e500", delay=1.0, seconds=1.5))
    fleet.sims[1].break_(InjectedFault(mode="e500", delay=1.0, seconds=1.5))
    fleet.worker()
    batch = fleet.submit(2, model="hedged")
    fleet.until_done(batch, at_most=LONG)
    assert fleet.succeeded(batch) == 2
    assert fleet.broken(batch) == []


def test_no_more_than_the_share_of_calls_is_hedged(build):
    fleet = build(latency=(1.5, 1.5), at_most=0.1)
    fleet.worker()
    batch = fleet.submit(40, model="hedged")
    fleet.until_done(batch, at_most=LONG)
    assert fleet.succeeded(batch) == 40
    assert 1 <= fleet.sims[1].counts()["calls"] <= 4
    assert fleet.broken(batch) == []


def test_a_worker_that_dies_between_two_calls_of_a_job_leaves_both_unknown(build):
    fleet = build(deadline=f"{DEADLINE}s", lease="2s")
    for sim in fleet.sims:
        sim.break_(InjectedFault(mode="slow", delay=20.0))
    victim = fleet.worker()
    batch = fleet.submit(1, model="hedged")
    fleet.until(lambda: fleet.sims[1].counts()["calls"] == 1)
    victim.kill()
    for sim in fleet.sims:
        sim.heal()
    fleet.worker()
    fleet.until_done(batch, at_most=LONG)
    [[first, second, last]] = attempts(fleet, batch).values()
    assert (first.outcome, second.outcome, last.outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.SUCCEEDED)
    assert first.fence == second.fence < last.fence
    assert fleet.jobs(batch)[0].calls == 3
    assert fleet.offenders() == {}
