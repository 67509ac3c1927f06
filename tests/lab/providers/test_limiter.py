"""The provider's limits are enforced to the last unit: rate x time + burst, never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.lab.providers import SimSettings
from holdfast.lab.providers.limiter import RateLimits

ONE = {"requests": 1.0, "input_tokens": 0.0, "output_tokens": 0.0}


def test_a_burst_is_let_in_and_then_one_call_for_each_unit_that_flows_in() -> None:
    limiter = RateLimits(SimSettings(rate=10, burst=3))
    assert [limiter.take(ONE, 0.0) for _ in range(4)] == [None, None, None, "requests"]
    assert limiter.take(ONE, 0.05) == "requests"
    assert limiter.take(ONE, 0.1) is None
    assert limiter.take(ONE, 0.15) == "requests"


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_no_span_of_time_sees_more_than_its_rate_and_one_burst(gaps: list[float]) -> None:
    limiter = RateLimits(SimSettings(rate=20, burst=5))
    now, admitted = 0.0, []
    for gap in gaps:
        now += gap
        if limiter.take(ONE, now) is None:
            admitted.append(now)
    for first, begin in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= 5 + 20 * (admitted[last] - begin) + 1e-6


def test_a_call_that_one_bucket_refuses_is_charged_to_none() -> None:
    limiter = RateLimits(SimSettings(rate=100, burst=100, output_tokens_per_minute=60))
    assert limiter.take({"requests": 1, "input_tokens": 1, "output_tokens": 30}, 0.0) is None
    assert limiter.take({"requests": 1, "input_tokens": 1, "output_tokens": 1}, 0.0) == "output_tokens"
    assert limiter.buckets["requests"].level == 99


def test_a_call_larger_than_the_bucket_needs_it_full_and_leaves_a_debt() -> None:
    limiter = RateLimits(SimSettings(input_tokens_per_minute=600))
    large = {"requests": 1, "input_tokens": 25.0, "output_tokens": 0}
    assert limiter.take(large, 0.0) is None
    assert limiter.buckets["input_tokens"].level == pytest.approx(-15)
    assert limiter.take({**large, "input_tokens": 1}, 1.5) == "input_tokens"
    assert limiter.take({**large, "input_tokens": 1}, 1.7) is None


def test_without_limits_everything_is_let_in() -> None:
    limiter = RateLimits(SimSettings())
    assert all(limiter.take(ONE, 0.0) is None for _ in range(1000))
