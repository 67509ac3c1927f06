"""Which waiting job gets which permit, told by examples. Random cases, against the gate's script: tests/lanes."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.route import Limits, Plan
from holdfast.policy.admission import POLL, BucketState, Fetch, GateState, Reason, WindowScan, fetch, share_left
from holdfast.policy.breaker_state import Breaker, Closed, HalfOpen, Open
from holdfast.policy.rate_limit import Allowance, per_minute
from holdfast.policy.targets import limits_by_dimension, targets_of
from lanes_twin import plan, route

NOW = 100.0
SMALL, LARGE = Need(100, 100), Need(400, 100)
TEN_A_SECOND = Limits(requests_per_minute=600, input_tokens_per_minute=60_000)  # a burst of 850 input tokens


def gate(ways: Plan, breakers: dict[str, Breaker] | None = None, in_flight: dict[str, int] | None = None) -> GateState:
    """A gate with full buckets."""
    buckets = {}
    for target in targets_of(ways):
        limits = limits_by_dimension(target.route.limits).items()
        buckets[target.bucket] = BucketState({each: per_minute(limit) for each, limit in limits if limit is not None})
    return GateState(breakers or {}, buckets, in_flight or {})


def ask(ways: Plan, window: Sequence[Need], state: GateState | None = None, n: int = 10, look: int = 64) -> Fetch[int]:
    return fetch(list(enumerate(window)), targets_of(ways), state or gate(ways), NOW, n, look=look)


def given(found: Fetch[int]) -> list[tuple[int, str]]:
    return [(job, grant.target.name) for job, grant in found.grants]


def test_jobs_get_the_first_route_of_their_plan_in_the_order_of_the_window() -> None:
    found = ask(plan(route(), route("openai", "gpt")), [SMALL] * 3, n=2)
    assert given(found) == [(0, "anthropic/opus"), (1, "anthropic/opus")]
    assert (found.passed, found.reason, found.retry_in) == ([], None, None)


def test_a_job_takes_another_route_as_long_as_it_has_to_avoid_the_first() -> None:
    ways = plan(route(), route("openai", "gpt"))
    for_ever, until_now = Need(1, 1, {"anthropic/opus": None}), Need(1, 1, {"anthropic/opus": NOW})
    assert given(ask(ways, [for_ever, until_now])) == [(0, "openai/gpt"), (1, "anthropic/opus")]


def test_a_job_that_must_avoid_what_is_free_is_passed_over_and_keeps_its_place() -> None:
    found = ask(plan(), [Need(1, 1, {"anthropic/opus": NOW + 7}), SMALL])
    assert (given(found), found.passed) == ([(1, "anthropic/opus")], [0])
    assert (found.reason, found.retry_in) == (Reason.AVOIDED, 7.0)


def test_a_job_that_must_avoid_a_credential_takes_another_of_the_same_route() -> None:
    ways = plan(route(credentials=("main", "spare")))
    found = ask(ways, [Need(1, 1, {"credential:anthropic/main": None}), SMALL])
    assert [grant.target.credential for _, grant in found.grants] == ["spare", "main"]


PROBED = GateState({"route:anthropic/opus": Breaker(Open(NOW - 1, 1.0, ("0", "2")))}, gate(plan()).buckets, {})


def test_a_job_whose_probe_failed_lets_another_one_probe() -> None:
    found = ask(plan(), [SMALL] * 4, PROBED)
    assert (given(found), found.passed) == ([(1, "anthropic/opus")], [0, 2])
    assert found.reason is Reason.BREAKER


def test_where_no_other_job_waits_it_probes_again_and_the_oldest_does() -> None:
    found = ask(plan(), [SMALL], PROBED)
    assert (given(found), found.passed) == ([(0, "anthropic/opus")], [])
    elsewhere = Need(1, 1, {"anthropic/opus": None})
    found = ask(plan(), [SMALL, elsewhere, SMALL], PROBED)
    assert (given(found), found.passed) == ([(0, "anthropic/opus")], [1, 2])


def test_where_every_probe_failed_the_job_that_failed_longest_ago_asks_again() -> None:
    """One job pays for no outage by itself."""
    state = replace(PROBED, breakers={"route:anthropic/opus": Breaker(Open(NOW - 1, 1.0, ("2", "0", "1")))})
    found = ask(plan(), [SMALL] * 3, state)
    assert (given(found), found.passed) == ([(2, "anthropic/opus")], [0, 1])


def test_a_job_whose_probe_failed_takes_another_route_at_once() -> None:
    ways = plan(route(), route("openai", "gpt"))
    state = GateState(PROBED.breakers, gate(ways).buckets, {})
    assert given(ask(ways, [SMALL], state)) == [(0, "openai/gpt")]


def test_small_jobs_do_not_starve_a_large_one() -> None:
    ways = plan(route(limits=TEN_A_SECOND))
    found = ask(ways, [LARGE, LARGE, LARGE, SMALL])
    assert given(found) == [(0, "anthropic/opus"), (1, "anthropic/opus")]
    assert (found.passed, found.reason) == ([2], Reason.BUCKET)
    assert found.retry_in == 0.352  # 350 of 400 tokens are missing, at 0.995 a millisecond


def test_no_more_calls_are_in_flight_than_the_route_may_have_or_a_ramp_allows() -> None:
    ways = plan(route(limits=Limits(6e7, concurrency=5)))
    ramp = {"route:anthropic/opus": Breaker(Closed(ramp=2.9))}
    assert len(ask(ways, [SMALL] * 9).grants) == 5
    found = ask(ways, [SMALL] * 9, gate(ways, ramp))
    assert (len(found.grants), found.reason, found.retry_in) == (2, Reason.SLOTS, POLL)


def test_one_probe_goes_when_the_cool_off_is_over_and_the_others_wait_for_its_answer() -> None:
    over = {"endpoint:anthropic": Breaker(Open(NOW, 4.0), epoch=7)}
    found = ask(plan(), [SMALL, SMALL], gate(plan(), over))
    ((_, grant),) = found.grants
    assert grant.probed == {"endpoint:anthropic": Breaker(HalfOpen(NOW + 25.0, 4.0, NOW), epoch=8)}
    assert (found.passed, found.reason, found.retry_in) == ([1], Reason.BREAKER, POLL)


def test_a_second_permit_never_probes() -> None:
    over = {"endpoint:anthropic": Breaker(Open(NOW, 4.0))}
    scan = WindowScan([("job", SMALL)], targets_of(plan()), gate(plan(), over), NOW, hedged=True)
    assert (list(scan), scan.passed) == ([], ["job"])
    assert scan.refusal is not None
    assert (scan.refusal.reason, scan.refusal.retry_in) == (Reason.BREAKER, POLL)


def test_the_window_is_looked_through_no_further_than_asked() -> None:
    barred = Need(1, 1, {"anthropic/opus": None})
    found = ask(plan(), [barred, barred, SMALL], look=2)
    assert (given(found), found.passed, found.reason, found.retry_in) == ([], [0, 1], Reason.AVOIDED, None)


def test_what_a_grant_takes_is_gone_for_the_next() -> None:
    ways = plan(route(limits=TEN_A_SECOND))
    after = ask(ways, [LARGE]).gate
    (bucket,) = after.buckets.values()
    assert share_left(bucket.levels, bucket.allowances) == 450 / 850
    assert after.in_flight == {"anthropic/opus": 1}


def growing(*, grows: bool = True, rate: float = 10.0) -> GateState:
    """The first route's bucket holds one request and gets ``rate`` a second; the second one's has no limit."""
    first, second = (target.bucket for target in targets_of(plan(route(), route("openai", "gpt"))))
    slow, empty = Allowance(rate / 1000, 1.0), BucketState({})
    return GateState({}, {first: BucketState({Dimension.REQUESTS: slow}, grows=grows), second: empty}, {})


def routes_of(state: GateState, jobs: int, max_wait: float) -> list[str]:
    targets = targets_of(plan(route(), route("openai", "gpt")))
    return [
        name for _, name in given(fetch(list(enumerate([SMALL] * jobs)), targets, state, NOW, 10, max_wait=max_wait))
    ]


def test_a_job_waits_for_a_rate_that_grows_before_it_takes_the_next_route() -> None:
    assert routes_of(growing(), 3, max_wait=2.0) == ["anthropic/opus"]
    assert routes_of(growing(), 3, max_wait=0.0) == ["anthropic/opus", "openai/gpt", "openai/gpt"]


def test_a_limit_that_is_known_moves_jobs_on_at_once() -> None:
    assert routes_of(growing(grows=False), 3, max_wait=2.0) == ["anthropic/opus", "openai/gpt", "openai/gpt"]


def test_as_many_jobs_wait_as_have_their_turn_in_time() -> None:
    """Ten a second: within 0.25 s two have theirs, of five that wait."""
    assert routes_of(growing(), 6, max_wait=0.25) == ["anthropic/opus"] + ["openai/gpt"] * 3


def test_nobody_waits_for_a_route_that_is_shut() -> None:
    state = growing()
    shut = GateState({"route:anthropic/opus": Breaker(Open(NOW + 9, 9.0))}, state.buckets, {})
    assert routes_of(shut, 2, max_wait=2.0) == ["openai/gpt", "openai/gpt"]
