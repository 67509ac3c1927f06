"""A route that cuts many jobs wears them out; none of them is buried for it, and none costs much meanwhile."""

import pytest

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_ATTEMPTS, MAX_CALLS, Claimed, Need
from holdfast.model.request import Request
from holdfast.model.route import Api, Plan, Route
from holdfast.model.step import Bury, Retry
from holdfast.policy.backoff import CAP
from holdfast.policy.error_burst import OFTEN, is_degraded, note_failure
from holdfast.policy.fault_rules import is_failure
from holdfast.policy.health import Health
from holdfast.policy.retry import next_step

A = Route("a", "m", Api.ANTHROPIC, "m", ("main",))
CUT = Fault(FaultKind.CONNECTION_LOST, ambiguous=True)
CONFLICT = Fault(FaultKind.CONFLICT)
NOBODYS = Fault(FaultKind.SERVER_ERROR)


def step(fault, *, calls=0, attempts=0, degraded=frozenset({"a/m"}), shut=frozenset(), expires_at=None):
    need, request = Need(1, 1), Request(turns=())
    job = Claimed("0" * 32, "m.batch", "m", 1, 1, 1, attempts, calls, 0, need, request, expires_at)
    return next_step(job, A, Plan("m", (A,)), fault, Health(shut, degraded=degraded), 1000.0, lambda low, _high: low)


@pytest.mark.parametrize(
    ("fault", "spent"), [(CUT, {"calls": MAX_CALLS - 1}), (CONFLICT, {"attempts": MAX_ATTEMPTS - 1})]
)
def test_the_last_call_of_a_job_is_not_its_last_on_a_route_that_wears_many_out(fault, spent):
    assert isinstance(step(fault, **spent, degraded=frozenset()), Bury)
    waits = step(fault, **spent)
    assert isinstance(waits, Retry)
    assert waits.delay == CAP / 2  # each of its calls may cost money: at least so long, at most twice as long


def test_a_job_that_has_calls_left_waits_no_longer_for_it():
    assert step(CUT, calls=MAX_CALLS - 2).delay == 0.0


def test_its_deadline_still_ends_the_wait():
    assert step(CUT, calls=MAX_CALLS, expires_at=1010.0).delay == 10.0


def test_where_the_breaker_paces_the_route_nobody_waits_besides():
    assert step(CUT, calls=MAX_CALLS, shut=frozenset({"a/m"})).delay == 0.0


def test_every_failure_counts_but_one_that_is_ours():
    assert is_failure(CUT)
    assert is_failure(NOBODYS)
    assert not is_failure(Fault(FaultKind.INTERNAL))


def window_of(*jobs, gap=1.0):
    window = ()
    for index, (job, wrong) in enumerate(jobs):
        window = note_failure(window, index * gap, job, wrong=wrong)
    return window


def many(number, *, hit):
    """As many jobs, every one in ``hit`` of them cut."""
    return [(str(n), n % hit == 0) for n in range(number)]


def test_a_tenth_of_the_jobs_is_the_route_and_less_is_theirs():
    assert is_degraded(window_of(*many(60, hit=10)), 60.0)
    assert not is_degraded(window_of(*many(60, hit=15)), 60.0)


def test_one_job_that_is_cut_again_and_again_wears_nobody_out_but_itself():
    assert not is_degraded(window_of(*[("bad", True)] * 30, *many(3, hit=9)[1:], ("x", False), ("y", False)), 40.0)


def test_jobs_that_fail_again_and_again_say_nothing_of_the_others():
    def with_three_that_fail(*, times):
        window = window_of(("bad", True), *[(str(n), False) for n in range(20)])
        for tries in range(times):
            for bad in ("bad", "worse", "worst"):
                window = note_failure(window, 30.0 + tries, bad, wrong=True, tries=tries)
        return window

    assert is_degraded(with_three_that_fail(times=OFTEN), 40.0)
    assert not is_degraded(with_three_that_fail(times=OFTEN + 1), 40.0)


def test_a_job_that_came_through_later_was_cut_all_the_same():
    jobs = [(str(n % 5), n < 5) for n in range(10)]
    assert is_degraded(window_of(*jobs), 10.0)


def test_four_jobs_are_too_few_to_tell():
    assert not is_degraded(window_of(*[(str(n), True) for n in range(4)]), 4.0)


def test_after_ten_minutes_it_is_forgotten():
    window = window_of(*many(20, hit=2))
    assert is_degraded(window, 600.0)
    assert not is_degraded(window, 640.0)


def test_healthy_calls_leave_nothing_behind():
    assert window_of(*[(str(n), False) for n in range(20)]) == ()
