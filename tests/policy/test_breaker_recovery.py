"""A recovering route: one probe at a time, then a ramp, on probation until it has proved itself."""

from dataclasses import replace

import pytest

from holdfast.policy.breaker import Admission, Refusal, admit, ramp_limit, record
from holdfast.policy.breaker_recovery import cool_off, first_ramp
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, RULES, Rules
from holdfast.policy.breaker_state import Breaker, Closed, Open
from holdfast.policy.signals import Observation, ScopeKind, Signal
from policy.breaker_steps import FAULT, NOTHING, OK, RULES_HERE, SLOW, Route, middle


@pytest.fixture
def route() -> Route:
    return Route()


def test_a_route_on_probation_is_judged_by_few_calls(route: Route) -> None:
    route.break_down()
    route.recover()
    route.record(FAULT)
    assert isinstance(route.state, Closed)
    route.record(FAULT)
    assert isinstance(route.state, Open)


def test_single_failures_among_successes_do_not_end_the_probation(route: Route) -> None:
    route.break_down()
    route.recover()
    route.record_all("++-++++-+++++-++++-")
    assert isinstance(route.state, Closed)


def test_a_dead_prober_frees_its_place_for_another_probe_of_the_same_epoch(route: Route) -> None:
    route.break_down()
    route.wait_for_probe()
    first = route.breaker.epoch
    route.wait(RULES_HERE.probe_lease)
    assert route.ask() == Admission(first, probe=True)
    route.record(OK, epoch=first)  # on a slow route, the first probe may still be the one that comes back
    assert isinstance(route.state, Closed)


def test_the_second_probe_has_a_lease_of_its_own(route: Route) -> None:
    route.break_down()
    route.wait_for_probe()
    route.wait(RULES_HERE.probe_lease)
    route.ask()
    assert route.ask() == Refusal(retry_at=route.now + RULES_HERE.probe_lease)


@pytest.mark.parametrize(("edge", "until"), [(min, 1_000.8), (max, 1_001.2)])
def test_the_cool_off_is_spread_by_a_fifth_so_that_routes_do_not_come_back_together(edge, until) -> None:
    breaker = Breaker()
    for _ in range(RULES_HERE.consecutive):
        breaker = record(breaker, Observation(1_000.0, 0, FAULT), RULES_HERE, edge)
    assert breaker.state == Open(until, cool_off=1.0)


def test_a_probe_that_says_nothing_frees_its_place_at_once(route: Route) -> None:
    route.break_down()
    route.wait_for_probe()
    route.record(NOTHING)
    assert isinstance(route.ask(), Admission)


@pytest.mark.parametrize("signal", [NOTHING, Signal.CLIENT_ERROR])
def test_a_probe_that_outlived_its_lease_frees_nobodys_place(route: Route, signal: Signal) -> None:
    """On a route whose calls may take longer than the lease: its timeout says nothing of its credential."""
    route.break_down()
    route.wait_for_probe()
    first_sent = route.now
    route.wait(RULES_HERE.probe_lease)
    route.ask()
    lease_ends = route.now + RULES_HERE.probe_lease
    route.wait(10.0)
    observation = Observation(route.now, route.breaker.epoch, signal, sent=first_sent)
    route.breaker = record(route.breaker, observation, RULES_HERE, middle)
    assert route.ask() == Refusal(retry_at=lease_ends)
    route.breaker = record(
        route.breaker, replace(observation, sent=lease_ends - RULES_HERE.probe_lease), RULES_HERE, middle
    )
    assert isinstance(route.ask(), Admission)


def test_a_probe_frees_its_place_however_long_its_lease_was() -> None:
    """A credential's breaker lends probes for as long as its route's lease, which an operator may have set."""
    lent, _ = admit(Breaker(Open(0.0, 1.0)), 100.0, Rules(probe_lease=600.0))
    freed = record(lent, Observation(101.0, lent.epoch, NOTHING, sent=100.0), RULES_HERE, middle)
    assert isinstance(admit(freed, 101.0, RULES_HERE)[1], Admission)


def test_a_slow_probe_is_a_failed_probe(route: Route) -> None:
    route.break_down()
    route.wait_for_probe()
    route.record(SLOW)
    assert isinstance(route.state, Open)


def test_a_recovered_route_ramps_up_round_by_round(route: Route) -> None:
    route.break_down()
    route.recover()
    rounds = []
    while (ramp := ramp_limit(route.breaker)) is not None:
        rounds.append(int(ramp))
        route.record_all("+" * int(ramp))
    assert rounds[:6] == [2, 3, 4, 6, 8, 10]
    assert len(rounds) < 32


@pytest.mark.parametrize(("takes", "alone"), [(2.5, [2, 3, 4, 9, 18, 37]), (0.2, [2, 3, 4, 7, 15, 30])])
def test_a_route_without_an_alternative_ramps_as_gently_and_then_doubles(takes: float, alone: list[int]) -> None:
    """Each round of calls takes ``takes`` seconds."""
    rounds: dict[str, list[int]] = {}
    for name, rules in (("one of several", RULES[ScopeKind.ROUTE]), ("alone", NO_ALTERNATIVE[ScopeKind.ROUTE])):
        route = Route(rules)
        route.break_down()
        route.recover()
        for _ in range(6):
            ramp = int(ramp_limit(route.breaker) or 0)
            rounds.setdefault(name, []).append(ramp)
            route.wait(takes)
            for _ in range(ramp):
                route.record(OK)
    assert rounds["one of several"] == [2, 3, 4, 6, 8, 10]
    assert rounds["alone"] == alone


@pytest.mark.parametrize(
    ("outage", "probes", "calls"),
    [(20.0, 8, 8.0), (20.0, 7, 2.0), (59.0, 32, 8.0), (60.0, 32, 2.0), (7_200.0, 32, 2.0)],
)
def test_the_only_route_starts_with_more_calls_after_a_brief_outage_that_no_probe_came_through(
    outage: float, probes: int, calls: float
) -> None:
    assert first_ramp(outage, probes, NO_ALTERNATIVE[ScopeKind.ROUTE]) == calls
    assert first_ramp(outage, probes, RULES[ScopeKind.ROUTE]) == 2.0


def test_jobs_whose_probes_failed_one_after_the_other_tell_a_brief_outage_from_bad_luck() -> None:
    route = Route(NO_ALTERNATIVE[ScopeKind.ROUTE])
    route.break_down()
    for job in "abcdefgh":
        route.wait_for_probe()
        route.record(FAULT, job=job)
    route.recover()
    assert ramp_limit(route.breaker) == 8.0


def test_the_only_route_is_asked_each_second_while_its_outage_is_young() -> None:
    alone = NO_ALTERNATIVE[ScopeKind.ROUTE]
    assert [cool_off(age, alone) for age in (0.0, 10.0, 18.0)] == [1.0, 1.0, 1.0]
    assert [cool_off(age, alone) for age in (20.0, 60.0)] == pytest.approx([1.2, 6.0])
    assert cool_off(300.0, alone) == alone.knee


def test_the_ramp_keeps_pace_with_the_calls(route: Route) -> None:
    """Calls of one to four seconds: five seconds after the recovery no herd is there yet."""
    route.break_down()
    route.recover()
    for _ in range(6):  # more than five seconds' worth at two in flight, three, and so on
        route.record(OK)
    assert ramp_limit(route.breaker) < 5


def test_a_fault_while_ramping_starts_the_ramp_anew(route: Route) -> None:
    route.break_down()
    route.recover()
    route.record_all("++++-")
    assert ramp_limit(route.breaker) == 2


def test_the_ramp_ends_after_five_quiet_minutes(route: Route) -> None:
    route.break_down()
    route.recover()
    route.wait(RULES_HERE.ramp_quiet)
    route.record(OK)
    assert ramp_limit(route.breaker) is None


def test_calls_that_hedges_outran_end_a_probation(route: Route) -> None:
    """What hedging hides from a breaker would else close it again and again."""
    route.break_down()
    route.recover()
    route.record(Signal.HEDGED_LATE)
    assert route.state.streak is None  # it is slow, and its route answers
    route.record(Signal.HEDGED_LATE)
    assert isinstance(route.state, Open)


def test_on_a_route_that_is_well_they_say_nothing(route: Route) -> None:
    before = route.breaker
    for _ in range(100):
        route.record(Signal.HEDGED_LATE)
    assert route.breaker is before
