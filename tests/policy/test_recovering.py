"""A route is recovering while calls come back to it step by step, and not for ever where none comes."""

from holdfast.policy.breaker import ramp_limit
from holdfast.policy.recovering import IDLE, is_recovering
from policy.breaker_steps import FAULT, OK, RULES_HERE, Route


def recovered() -> Route:
    route = Route()
    route.break_down()
    route.recover()
    return route


def tells(route: Route, in_flight: int = 0) -> bool:
    return is_recovering(route.breaker, in_flight, route.now, RULES_HERE)


def test_a_route_is_recovering_from_its_probe_until_its_ramp_ends() -> None:
    route = Route()
    assert not tells(route)
    route.break_down()
    assert not tells(route)
    route.recover()
    assert tells(route)
    while ramp_limit(route.breaker) is not None:
        assert tells(route)
        route.record(OK)
    assert not tells(route)


def test_a_route_that_nobody_calls_is_recovering_no_longer_and_is_again_with_the_next_call() -> None:
    route = recovered()
    route.wait(IDLE - 1)
    assert tells(route)
    route.wait(1)
    assert not tells(route)
    assert tells(route, in_flight=1)
    route.record(OK)
    assert tells(route)


def test_a_call_that_fails_is_a_call() -> None:
    route = recovered()
    route.wait(IDLE - 1)
    route.record(FAULT)
    route.wait(IDLE - 1)
    assert tells(route)


def test_long_calls_in_flight_are_let_in_step_by_step_though_none_ended_for_a_while() -> None:
    route = recovered()
    route.wait(IDLE * 2)
    assert tells(route, in_flight=2)


def test_nothing_is_recovering_when_the_next_success_would_end_its_ramp() -> None:
    route = recovered()
    for _ in range(2):
        route.wait(RULES_HERE.ramp_quiet / 2)
        assert tells(route, in_flight=2) is (route.now < route.breaker.recovered + RULES_HERE.ramp_quiet)
    route.record(OK)
    assert ramp_limit(route.breaker) is None


def test_a_breaker_that_was_reset_is_not_recovering() -> None:
    assert not is_recovering(Route().breaker, 3, 1_000.0, RULES_HERE)
