"""A job on which Holdfast itself breaks is tried once more, elsewhere where there is an elsewhere, and then ends."""

from dataclasses import replace

import pytest

from attempts import a_claim, a_route
from holdfast.model.exception_fault import EXCEPTION, exception_fault, is_exception
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_EXCEPTIONS, Outcome, Permit
from holdfast.model.route import Plan
from holdfast.model.step import Bury, Retry
from holdfast.policy.exceptions import AGAIN, ELSEWHERE, after_exception
from holdfast.policy.fault_rules import may_be_billed, outcome_of, was_sent

HERE, THERE = a_route("a/m"), a_route("b/m")
JOB = a_claim(Permit("w/1:1", "j", "smart.batch", "a/m", "main", {}))
SENT, UNSENT = exception_fault(KeyError("a prompt"), sent=True), exception_fault(KeyError("a prompt"), sent=False)
OTHER = Fault(FaultKind.INTERNAL, "its permit is old")  # ours, and no exception


def highest(_: float, high: float) -> float:
    return high


def after(exceptions: int, *others: str, avoid: dict[str, float | None] | None = None) -> Retry | Bury:
    plan = Plan("smart", (HERE, *(a_route(name) for name in others)))
    return after_exception(replace(JOB, exceptions=exceptions), HERE, plan, SENT, avoid or {}, highest)


def test_the_first_time_another_route_is_asked_for_a_while():
    assert after(0, "b/m") == Retry(AGAIN[1], uses_attempt=False, avoid={"a/m": ELSEWHERE})


@pytest.mark.parametrize("avoid", [{}, {"b/m": None}, {"b/m": 9.0}])
def test_where_there_is_no_other_the_same_is_asked(avoid):
    others = ("b/m",) if avoid else ()
    assert after(0, *others, avoid=avoid) == Retry(AGAIN[1], uses_attempt=False, avoid=avoid)


def test_the_last_time_it_is_buried_with_what_broke_and_where():
    step = after(MAX_EXCEPTIONS - 1, "b/m")
    assert isinstance(step, Bury)
    assert (step.reason.kind, step.reason.code) == (FaultKind.INTERNAL, EXCEPTION)
    assert "a/m: Holdfast broke: KeyError" in step.reason.message
    assert "a prompt" not in step.reason.message


def test_a_call_that_may_have_left_counts_though_the_fault_is_ours():
    assert [may_be_billed(fault) for fault in (SENT, UNSENT, OTHER)] == [True, False, False]
    assert [was_sent(fault) for fault in (SENT, UNSENT, OTHER)] == [True, False, False]
    assert [outcome_of(fault) for fault in (SENT, UNSENT)] == [Outcome.UNKNOWN, Outcome.ABANDONED]


def test_what_our_own_stores_are_in_the_way_of_is_no_exception():
    assert [is_exception(fault) for fault in (SENT, UNSENT, OTHER, None)] == [True, True, False, False]
