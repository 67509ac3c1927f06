"""A bucket lets through what flows in and what it holds, never more."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.call_result import Dimension
from holdfast.policy.rate_limit import Allowance, Level, Wait, per_minute, refill, settle, take, wait_for

REQUESTS, TOKENS = Dimension.REQUESTS, Dimension.INPUT_TOKENS
allowances = st.builds(Allowance, st.floats(1e-4, 10), st.floats(1, 1_000))
moments = st.lists(st.floats(0, 5_000), min_size=1, max_size=80)


@given(allowances, moments, st.integers(1, 5))
def test_no_span_of_time_sees_more_than_the_burst_and_what_flows_in(allowance, gaps, cost) -> None:
    level, now, taken = Level(allowance.capacity, 0.0), 0.0, []
    for gap in gaps:
        now += gap
        answer = take({REQUESTS: level}, {REQUESTS: allowance}, {REQUESTS: cost}, now)
        if not isinstance(answer, Wait):
            level = answer[REQUESTS]
            taken.append(now)
    for i, start in enumerate(taken):
        for j, end in enumerate(taken[i:], start=1):
            # The last one of a span may leave a debt when it costs more than the bucket holds.
            assert (j - 1) * cost <= allowance.capacity + (end - start) * allowance.per_ms + 1e-6


@given(allowances, st.floats(-500, 500), st.floats(0, 2_000), st.floats(0, 1e6))
def test_after_the_wait_it_says_a_call_is_admitted(allowance, units, cost, now) -> None:
    level = Level(min(units, allowance.capacity), now)
    wait = wait_for(level, allowance, cost, now)
    later = now + wait + 1e-3
    assert wait >= 0
    assert not isinstance(take({REQUESTS: level}, {REQUESTS: allowance}, {REQUESTS: cost}, later), Wait)


def test_a_call_takes_from_every_dimension_or_from_none() -> None:
    levels = {REQUESTS: Level(5, 0), TOKENS: Level(10, 0)}
    limits = {REQUESTS: Allowance(0.05, 50), TOKENS: Allowance(1.0, 1_000)}
    assert take(levels, limits, {REQUESTS: 1, TOKENS: 100}, 0.0) == Wait(90.0)
    assert take(levels, limits, {REQUESTS: 1, TOKENS: 10}, 0.0) == {REQUESTS: Level(4, 0), TOKENS: Level(0, 0)}


def test_a_call_that_costs_more_than_the_bucket_holds_waits_for_a_full_one_and_leaves_a_debt() -> None:
    allowance = Allowance(per_ms=1.0, capacity=100)
    assert wait_for(Level(99, 0), allowance, 1_000, 0.0) == 1.0
    answer = take({TOKENS: Level(100, 0)}, {TOKENS: allowance}, {TOKENS: 1_000}, 0.0)
    assert answer == {TOKENS: Level(-900, 0)}


def test_a_pause_gives_nothing_to_anyone() -> None:
    allowance = Allowance(1.0, 100)
    assert take({}, {REQUESTS: allowance}, {REQUESTS: 1}, 1_000.0, paused_until_ms=1_500.0) == Wait(500.0)


def test_a_dimension_without_an_allowance_is_unlimited_and_one_without_a_level_is_full() -> None:
    assert take({}, {}, {REQUESTS: 1}, 0.0) == {}
    assert take({}, {REQUESTS: Allowance(1.0, 3)}, {REQUESTS: 1}, 7.0) == {REQUESTS: Level(2, 7.0)}


@given(allowances, st.floats(-100, 100), st.floats(0, 100), st.floats(0, 100), st.floats(0, 1_000))
def test_settling_gives_back_what_was_reserved_too_much_but_never_overfills(
    allowance, units, reserved, used, now
) -> None:
    level = Level(min(units, allowance.capacity), 0.0)
    here = refill(level, allowance, now)
    settled = settle(level, allowance, reserved, used, now)
    assert settled.units == min(allowance.capacity, here.units + reserved - used)


def test_a_clock_that_went_back_lets_nothing_flow_in() -> None:
    assert refill(Level(3, 1_000), Allowance(1.0, 100), 500) == Level(3, 1_000)


def test_a_limit_below_one_a_second_still_lets_one_through() -> None:
    assert per_minute(6).capacity == 1.0
