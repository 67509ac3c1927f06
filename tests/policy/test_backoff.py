"""Waits after failures spread, grow, and end; retries are a share of the calls."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.backoff import retry_delay
from holdfast.policy.retry_budget import PER_SECOND, SAVED, SHARE, RetryBudget, earn, spend


def lowest(low: float, _high: float) -> float:
    return low


def highest(_low: float, high: float) -> float:
    return high


@given(st.integers(1, 10**9), st.none() | st.floats(0, 1e6), st.floats(0, 1))
def test_a_delay_is_finite_and_lies_between_the_floor_and_the_widest_draw(attempt, retry_after, share) -> None:
    delay = retry_delay(attempt, retry_after, uniform=lambda low, high: low + share * (high - low))
    floor = retry_after or 0.0
    assert math.isfinite(delay)
    assert floor <= delay <= floor + min(300.0, 2.0 ** min(attempt - 1, 60))


@given(st.integers(1, 100))
def test_the_widest_draw_doubles_until_the_cap(attempt: int) -> None:
    here, next_ = (retry_delay(n, None, uniform=highest) for n in (attempt, attempt + 1))
    assert next_ == min(300.0, 2 * here)


def test_the_lowest_draw_is_no_wait_at_all() -> None:
    assert retry_delay(9, None, uniform=lowest) == 0.0


def test_a_server_s_retry_after_is_a_floor_and_may_exceed_the_cap() -> None:
    assert retry_delay(1, 3_600.0, uniform=highest) == 3_601.0


def test_attempts_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        retry_delay(0, None, uniform=lowest)


@given(st.integers(1, 400), st.integers(1, 400))
def test_retries_start_no_faster_than_a_fifth_of_the_calls_plus_ten_a_second(calls: int, retries: int) -> None:
    budget = RetryBudget(level=0.0)
    for _ in range(calls):
        budget = earn(budget)
    starts = []
    for _ in range(retries):
        budget, delay = spend(budget, now=0.0)
        starts.append(delay)
    for second in range(int(max(starts)) + 1):
        begun = sum(start <= second for start in starts)
        assert begun <= min(SAVED, SHARE * calls) + PER_SECOND * second + 1e-6


def test_a_retry_beyond_the_budget_comes_as_much_later_as_the_budget_needs() -> None:
    assert spend(RetryBudget(level=-4.0, at=10.0), now=10.1) == (
        RetryBudget(pytest.approx(-4.0), 10.1),
        pytest.approx(0.4),
    )


def test_an_idle_minute_saves_up_only_so_much() -> None:
    budget, delay = spend(RetryBudget(level=0.0), now=3_600.0)
    assert (budget.level, delay) == (SAVED - 1, 0.0)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    budget, _ = spend(RetryBudget(level=0.0, at=100.0), now=50.0)
    assert budget == RetryBudget(level=-1.0, at=100.0)
