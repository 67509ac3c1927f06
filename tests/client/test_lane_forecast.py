"""When lanes will be empty, from SQL's pace and Redis's breakers and buckets."""

import pytest

from holdfast.client.lane_forecast import LaneForecast
from holdfast.config import Settings
from holdfast.lanes import BreakerView, BucketView, Snapshot
from holdfast.model.call_result import Dimension
from holdfast.model.job import State
from holdfast.model.records import LaneCounts
from holdfast.policy.eta import Eta
from producing import ROUTE

OTHER = "openai/gpt-5.4"
LANE = LaneCounts("smart.batch", {State.QUEUED: 80, State.DELAYED: 15, State.RUNNING: 5})
NOON = 1_800_014_400.0


def shut(scope: str, seconds: float | None = 30.0, state: str = "open") -> BreakerView:
    return BreakerView(scope, state, 1, seconds)


def bucket(name: str, rate: float, paused: float = 0.0) -> BucketView:
    dimension = Dimension.REQUESTS
    return BucketView(name, {dimension: 0.0}, {dimension: rate}, {dimension: rate}, paused)


@pytest.fixture
def drain(settings: Settings):
    def make(*breakers: BreakerView, buckets=(), ended=((5.0, 50),), **more) -> LaneForecast:
        fields = {"warning": None, "forced": {}, "has_workers": True} | more
        paces = {"smart.batch": list(ended)}
        return LaneForecast(settings, Snapshot(list(breakers), list(buckets), {}), paces=paces, now=NOON, **fields)

    return make


def test_waiting_and_running_jobs_count_alike(drain) -> None:
    assert drain().of(LANE) == Eta(10.0, "at 10.0 jobs/s, as lately")


def test_while_no_route_is_open_it_says_what_the_lane_waits_for(drain) -> None:
    both = (shut(f"route:{ROUTE}"), shut("endpoint:openai", 12.0, "half_open"))
    assert drain(*both).of(LANE) == Eta(None, f"waits for {OTHER} until 12:00:12 UTC")
    forced = drain(*both, forced={OTHER: "open"})
    assert forced.of(LANE) == Eta(None, f"waits for {ROUTE} until 12:00:30 UTC")


def test_no_time_is_told_where_one_of_the_breakers_only_opens_by_hand(drain) -> None:
    by_hand = (shut("endpoint:anthropic", None, "forced_open"), shut(f"route:{OTHER}", None, "forced_open"))
    told = drain(shut(f"route:{ROUTE}"), *by_hand).of(LANE)
    assert (told.seconds, "UTC" in told.why) == (None, False)


def test_a_paused_bucket_shuts_a_route_as_a_breaker_does(drain) -> None:
    paused = [bucket("anthropic/main:claude-opus-4-8", 1.0, 60.0), bucket("openai/main:gpt-5.4", 1.0, 20.0)]
    assert drain(buckets=paused).of(LANE).why == f"waits for {OTHER} until 12:00:20 UTC"


def test_what_the_gate_allows_bounds_the_pace(drain) -> None:
    kept = [bucket("anthropic/main:claude-opus-4-8", 3.0), bucket("openai/main:gpt-5.4", 2.0)]
    assert drain(buckets=kept).of(LANE).seconds == 20.0


def test_a_route_that_the_operator_holds_open_takes_calls_whatever_its_breaker_says(drain) -> None:
    told = drain(shut(f"route:{ROUTE}"), shut(f"route:{OTHER}"), forced={ROUTE: "closed"}).of(LANE)
    assert told.seconds == 10.0


@pytest.mark.parametrize(
    ("more", "lane", "why"),
    [
        ({"has_workers": False}, LANE, "no worker runs: start one with `holdfast up` or `holdfast worker`"),
        ({"warning": "away"}, LANE, "Redis does not answer"),
        ({}, LaneCounts("smart.batch", LANE.counts, paused=True), "an operator paused it"),
        ({}, LaneCounts("nobody.batch", LANE.counts), "no plan is configured for its model"),
    ],
)
def test_it_says_in_words_why_nobody_can_tell(drain, more, lane, why) -> None:
    assert drain(**more).of(lane) == Eta(None, why)
