"""Limits as headers tell them; what cannot be trusted is not told on."""

import pytest

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.wire.limits import read_limits
from holdfast.wire.retry_after import LONGEST, retry_after

REQUESTS, INPUT, OUTPUT = Dimension.REQUESTS, Dimension.INPUT_TOKENS, Dimension.OUTPUT_TOKENS
NOON = {"date": "Tue, 24 Nov 2026 12:00:00 GMT"}


def test_anthropic_tells_three_limits_and_when_they_are_full_again():
    told = {
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:30Z",
        "anthropic-ratelimit-input-tokens-limit": "2000000",
        "anthropic-ratelimit-output-tokens-limit": "400000",
        "anthropic-ratelimit-tokens-limit": "2400000",
    }
    assert read_limits(told | NOON) == {
        REQUESTS: LimitSeen(4000, 3999),
        INPUT: LimitSeen(2_000_000),
        OUTPUT: LimitSeen(400_000),
    }


def test_openai_counts_all_tokens_against_one_limit():
    told = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "29000",
        "x-ratelimit-reset-tokens": "2s",
    }
    assert read_limits(told) == {
        REQUESTS: LimitSeen(500, 499),
        INPUT: LimitSeen(30_000, 29_000),
        OUTPUT: LimitSeen(30_000, 29_000),
    }


def test_a_limit_that_refills_over_a_day_is_not_taken_for_one_per_minute():
    told = {
        "x-ratelimit-limit-requests": "200",
        "x-ratelimit-remaining-requests": "199",
        "x-ratelimit-reset-requests": "7m12s",
    }
    assert read_limits(told)[REQUESTS].per_minute == pytest.approx(200 / 1440)


@pytest.mark.parametrize(
    ("told", "limits"),
    [
        ({"req-minute": 720, "tokens-minute": 5_000_000}, {REQUESTS: 720, INPUT: 5_000_000, OUTPUT: 5_000_000}),
        ({"tokens-prompt": 60_000, "tokens-generated": 6_000}, {INPUT: 60_000, OUTPUT: 6_000}),
        ({"tokens-per-minute": 30_000, "tokens-per-day": 1}, {INPUT: 30_000, OUTPUT: 30_000}),
        ({"requests-day": 14_400, "requests-minute": 30}, {REQUESTS: 30}),
        ({"requests-day": 14_400}, {REQUESTS: 10}),
        ({"requests-1h": 6_000, "requests": 600}, {REQUESTS: 600}),
        ({"req-second": 2}, {REQUESTS: 120}),
        ({"tokens": 9_000, "tokens-prompt": 6_000}, {INPUT: 6_000, OUTPUT: 9_000}),
        ({"tokens-uncached-prompt": 5, "images-minute": 5, "dynamic": 5, "": 5}, {}),
    ],
)
def test_a_limits_name_says_what_is_counted_and_over_which_time(told, limits):
    headers = {f"x-ratelimit-limit-{name}": str(units) for name, units in told.items()}
    assert {dimension: seen.per_minute for dimension, seen in read_limits(headers).items()} == limits


def test_what_is_left_of_a_named_limit_is_read_under_its_name():
    told = {"x-ratelimit-limit-req-minute": "720", "x-ratelimit-remaining-req-minute": "717"}
    assert read_limits(told) == {REQUESTS: LimitSeen(720, 717)}


@pytest.mark.parametrize("limit", ["0", "-1", "", "many", "nan", "inf"])
def test_what_cannot_be_a_limit_is_ignored(limit):
    assert read_limits({"x-ratelimit-limit-requests": limit, "anthropic-ratelimit-requests-limit": limit}) == {}


def test_a_reset_that_cannot_be_read_is_left_out():
    told = {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-reset": "soon"}
    assert read_limits(told) == {REQUESTS: LimitSeen(50)}


def test_no_headers_no_limits():
    assert read_limits({"content-type": "application/json"}) == {}


@pytest.mark.parametrize("told", ["999999999", "Tue, 24 Nov 2099 07:00:00 GMT", "1e300"])
def test_nobody_is_believed_who_asks_to_wait_for_longer_than_an_hour(told: str):
    assert retry_after({"retry-after": told}) == LONGEST
