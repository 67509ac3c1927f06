"""A breaker stops calls to a failing route, and lets one probe at a time find out when it is back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.breaker import Admission, Refusal, force
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, RULES, Rules
from holdfast.policy.breaker_state import Breaker, Closed, Disabled, ForcedOpen, HalfOpen, Open
from holdfast.policy.fault_streak import FaultStreak
from holdfast.policy.signals import ScopeKind, Signal
from policy.breaker_steps import FATAL, FAULT, OK, RULES_HERE, SLOW, Route


@pytest.fixture
def route() -> Route:
    return Route()


def test_an_outage_costs_five_calls_and_then_one_probe_per_cool_off(route: Route) -> None:
    route.break_down()
    assert route.ask() == Refusal(retry_at=1_001.0)

    route.wait(1)
    assert isinstance(route.ask(), Admission)
    assert route.ask() == Refusal(retry_at=1_026.0)  # all others wait for the probe's answer


def test_four_faults_in_a_row_open_nothing_and_a_success_forgets_them(route: Route) -> None:
    route.record_all("----+----")
    assert isinstance(route.state, Closed)


@pytest.mark.parametrize(
    ("pattern", "state"),
    [
        ("-++-++-+--", Open),  # half of ten
        ("-+-+-+-+-", Closed),  # nine are too few to judge
        ("-++-++-++-++-++-++-++", Closed),  # a third
        ("+" * 50 + "--+--+--+-", Open),  # what was well before the first failure is no excuse
    ],
)
def test_half_of_the_last_ten_to_twenty_calls_open_it(route: Route, pattern: str, state: type) -> None:
    route.record_all(pattern)
    assert isinstance(route.state, state)


@pytest.mark.parametrize(
    "rules", [RULES[ScopeKind.ROUTE], NO_ALTERNATIVE[ScopeKind.ROUTE]], ids=["one of several", "alone"]
)
def test_what_was_in_flight_when_trouble_began_does_not_hold_it_up(rules: Rules) -> None:
    """Every call fails, and those sent before still come back well, one for each failure."""
    route, began = Route(rules), 1_000.0
    for _ in range(rules.consecutive):
        assert isinstance(route.state, Closed)
        route.record(FAULT)
        route.wait(0.1)
        route.record(OK, sent=began - 1.0)
    assert isinstance(route.state, Open)


def test_at_a_hundred_calls_a_second_every_twentieth_may_fail_for_ever() -> None:
    """A failure takes 50 ms and a success two seconds, so what comes back well was always sent before the failures."""
    route = Route(NO_ALTERNATIVE[ScopeKind.ROUTE])
    calls = [(n / 100, n > 500 and n % 20 == 0) for n in range(60_000)]
    ends = sorted((sent + (0.05 if fails else 2.0), sent, FAULT if fails else OK) for sent, fails in calls)
    for route.now, sent, signal in ends:
        route.record(signal, sent=sent)
    assert isinstance(route.state, Closed)
    assert route.breaker.epoch == 0


def test_trouble_is_over_once_no_fault_came_for_as_long_as_the_window_reaches(route: Route) -> None:
    route.record(FAULT)
    route.wait(RULES_HERE.window_seconds - 3)
    route.record_all("+" * 20)
    assert route.state == Closed(streak=FaultStreak(1_000.0, 1_000.0))
    route.wait(2.0)
    route.record(OK)
    assert route.state == Closed()


def test_failures_older_than_the_window_do_not_count(route: Route) -> None:
    route.record_all("--+--+--+")
    route.wait(RULES_HERE.window_seconds)
    route.record_all("--+-+")
    assert isinstance(route.state, Closed)


def test_three_slow_calls_open_it(route: Route) -> None:
    for _ in range(2):
        route.record(SLOW)
    assert isinstance(route.state, Closed)
    route.record(SLOW)
    assert isinstance(route.state, Open)


@pytest.mark.parametrize(("successes", "state"), [(9, Open), (15, Open), (20, Closed), (99, Closed)])
def test_twenty_successes_make_up_for_a_slow_call(route: Route, successes: int, state: type) -> None:
    """One call in ten that hangs is an illness; one in a hundred that takes long is what calls are like."""
    for _ in range(40):
        route.record(SLOW)
        for _ in range(successes):
            route.wait(0.05)
            route.record(OK)
    assert isinstance(route.state, state)


def test_where_there_is_no_other_route_half_of_the_calls_are_better_than_none() -> None:
    alone = Route(NO_ALTERNATIVE[ScopeKind.ROUTE])
    alone.record_all("-+--+-+---++-+" * 20)
    assert isinstance(alone.state, Closed)
    alone.record_all("-" * 10)
    assert isinstance(alone.state, Open)


def test_a_fatal_verdict_opens_it_at_once_and_for_longer(route: Route) -> None:
    route.record(FATAL)
    assert route.ask() == Refusal(retry_at=1_000.0 + RULES_HERE.park)


def test_two_rejected_keys_in_a_row_open_a_credential() -> None:
    key = Route(RULES[ScopeKind.CREDENTIAL])
    key.record(FAULT)
    assert isinstance(key.state, Closed)
    key.record(FAULT)
    assert isinstance(key.state, Open)


def test_an_answer_to_a_call_from_before_the_outage_moves_nothing(route: Route) -> None:
    route.break_down()
    route.wait_for_probe()
    before = route.breaker
    route.record(OK, epoch=0)
    route.record(FAULT, epoch=0)
    assert route.breaker is before


def test_the_cool_off_follows_the_age_of_the_outage(route: Route) -> None:
    route.break_down()
    probes = 0
    while route.now < 1_000 + 15:
        route.wait_for_probe()
        route.record(FAULT)
        probes += 1
    assert probes <= 14
    assert route.state.cool_off == pytest.approx(0.12 * (route.now - 1_000))


def test_the_cool_off_ends_at_its_cap(route: Route) -> None:
    route.break_down()
    for _ in range(200):
        route.wait_for_probe()
        route.record(FAULT)
    assert route.state.cool_off == RULES_HERE.cap


def fail_for(route: Route, seconds: float) -> None:
    route.break_down()
    ends = route.now + seconds
    while route.now < ends:
        route.wait_for_probe()
        route.record(FAULT)
    route.recover()


def test_an_outage_that_comes_back_at_once_never_ended(route: Route) -> None:
    fail_for(route, 3_000)
    route.wait(RULES_HERE.relapse - 1)
    route.break_down()
    assert route.state.cool_off > 2 * RULES_HERE.knee


def test_the_next_wave_begins_at_an_age_that_makes_nobody_wait_longer_than_the_knee(route: Route) -> None:
    fail_for(route, 300)
    route.wait(290)
    route.break_down()
    assert 40 < route.state.cool_off <= RULES_HERE.knee

    route.breaker = Breaker()
    fail_for(route, 3_000)
    route.wait(RULES_HERE.relapse_most)
    route.break_down()
    assert route.state.cool_off == pytest.approx(RULES_HERE.knee)


@pytest.mark.parametrize(("lasted", "healthy"), [(10, 61), (300, 420), (3_000, 601)])
def test_an_outage_long_after_another_starts_anew(route: Route, lasted: float, healthy: float) -> None:
    fail_for(route, lasted)
    route.wait(healthy)
    route.break_down()
    assert route.state.cool_off == RULES_HERE.base


def test_an_untroubled_breaker_is_the_same_object_after_a_success(route: Route) -> None:
    before = route.breaker
    route.record(OK)
    assert route.breaker is before


def test_a_breaker_forgets_its_troubles_when_they_are_old_and_needs_no_write_again(route: Route) -> None:
    route.record_all("-+")
    route.wait(RULES_HERE.window_seconds + 1)
    route.record(OK)
    assert route.state == Closed()


def test_the_operator_overrides_and_gives_back(route: Route) -> None:
    route.breaker = force(route.breaker, "open")
    assert route.ask() == Refusal(float("inf"))
    route.record(OK)
    assert route.state == ForcedOpen()

    route.breaker = force(route.breaker, "closed")
    route.break_down()
    assert route.state == Disabled()
    assert isinstance(route.ask(), Admission)

    route.breaker = force(route.breaker, None)
    assert route.state == Closed()
    assert route.breaker.epoch == 3


signals = st.sampled_from(list(Signal))
steps = st.lists(st.tuples(st.floats(0, 100), st.booleans(), signals, st.integers(0, 2)), max_size=60)


@given(steps)
def test_a_half_open_breaker_has_given_out_exactly_one_live_permit(steps: list) -> None:
    route, lease_ends, probes = Route(), {}, 0
    for seconds, asks, signal, behind in steps:
        route.wait(seconds)
        was = route.state
        answer = route.ask() if asks else None
        if isinstance(answer, Admission) and answer.probe:
            assert not isinstance(was, HalfOpen) or was.until <= route.now
            probes += 1
            lease_ends[route.breaker.epoch] = route.now + RULES_HERE.probe_lease
        elif isinstance(answer, Admission):
            assert isinstance(route.state, Closed)
        route.record(signal, epoch=route.breaker.epoch - behind)
        if isinstance(route.state, HalfOpen):
            assert route.state.until <= lease_ends[route.breaker.epoch]


@given(steps)
def test_epochs_grow_with_every_change_of_state_and_with_nothing_else(steps: list) -> None:
    route = Route()
    for seconds, asks, signal, behind in steps:
        route.wait(seconds)
        before = route.breaker
        if asks:
            route.ask()
        else:
            route.record(signal, epoch=route.breaker.epoch - behind)
        changed = type(before.state) is not type(route.breaker.state)
        assert route.breaker.epoch - before.epoch == int(changed)


@given(steps)
def test_nothing_moves_a_breaker_that_was_heard_under_another_epoch(steps: list) -> None:
    route = Route()
    for seconds, asks, signal, behind in steps:
        route.wait(seconds)
        if asks:
            route.ask()
        before = route.breaker
        route.record(signal, epoch=route.breaker.epoch + (behind or -1))
        assert route.breaker is before
        route.record(signal)


@given(steps)
def test_an_open_breaker_is_never_shut_for_longer_than_its_cap_and_jitter(steps: list) -> None:
    route = Route(replace(RULES_HERE, cap=40.0, park=30.0))
    for seconds, asks, signal, behind in steps:
        route.wait(seconds)
        if asks:
            route.ask()
        route.record(signal, epoch=route.breaker.epoch - behind)
        if isinstance(route.state, Open):
            assert route.state.until <= route.now + 40.0 * 1.2
            assert route.breaker.since is not None
