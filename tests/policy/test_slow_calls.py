"""What slow means depends on the route, and a slow call is left only for a better place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.job import Need
from holdfast.model.route import Api, Plan, Route
from holdfast.policy.health import Health
from holdfast.policy.slow_calls import TIMES, gives_up, slow_after, typical

A = Route("anthropic", "opus", Api.ANTHROPIC, "opus", ("main",), deadline=120.0, slow_after=20.0)
B = Route("openai", "gpt", Api.OPENAI_CHAT, "gpt", ("main",))
BOTH, ALONE = Plan("smart", (A, B)), Plan("smart", (A,))
NEED = Need(10, 10)


def learned(*seconds: float) -> float | None:
    known = None
    for each in seconds:
        known = typical(known, each, 1_000)
    return known


def test_a_quick_route_is_slow_after_what_the_settings_say() -> None:
    assert slow_after(A, learned(2.0, 3.0, 2.5), 1_000) == 20.0


def test_a_route_that_thinks_for_long_is_not_slow_for_it() -> None:
    assert slow_after(A, learned(30.0), 1_000) == TIMES * 30.0


def test_before_anything_is_known_of_a_route_it_has_half_of_its_deadline() -> None:
    assert slow_after(A, None, 1_000) == 60.0


def test_a_longer_answer_may_take_longer_and_a_shorter_one_no_less() -> None:
    assert slow_after(A, 2.0, 4_000) == 80.0
    assert slow_after(A, 2.0, 10) == 20.0


def test_stalls_of_almost_half_of_the_calls_do_not_become_what_is_typical() -> None:
    assert learned(*[2.5, 33.0, 2.5, 2.5, 33.0, 33.0, 2.5, 2.5, 33.0] * 50) < 4.0


def test_a_route_that_has_become_slower_for_good_is_believed_in_the_end() -> None:
    assert learned(*[2.5] * 100, *[33.0] * 60) > 30.0


@given(st.lists(st.floats(0.001, 600), min_size=1), st.integers(1, 100_000))
def test_what_is_typical_stays_within_what_was_seen(seconds: list[float], tokens: int) -> None:
    known = None
    for each in seconds:
        known = typical(known, each, tokens)
    length = max(1.0, tokens / 1_000)
    assert min(seconds) / length / 1.06 <= known <= max(seconds) / length * 1.06


@pytest.mark.parametrize(
    ("plan", "open_routes", "avoid", "expected"),
    [
        (BOTH, {A.name}, {}, True),
        (BOTH, set(), {}, False),  # nobody else finds it ill: wait for the deadline
        (BOTH, {A.name, B.name}, {}, False),  # nowhere to go
        (BOTH, {A.name}, {B.name: 200.0}, False),
        (BOTH, {A.name}, {B.name: 50.0}, True),
        (ALONE, {A.name}, {}, False),
    ],
)
def test_a_slow_call_is_left_when_its_route_is_ill_and_another_is_free(plan, open_routes, avoid, expected) -> None:
    assert gives_up(A, plan, Health(frozenset(open_routes)), Need(10, 10, avoid), 100.0, slowness=1.0) is expected


def test_a_call_that_hangs_on_an_ill_route_does_not_hold_its_place_for_ever() -> None:
    ill, well = Health(frozenset({A.name})), Health()
    assert not gives_up(A, ALONE, ill, NEED, 100.0, slowness=2.9)
    assert gives_up(A, ALONE, ill, NEED, 100.0, slowness=3.0)
    assert not gives_up(A, ALONE, well, NEED, 100.0, slowness=9.0)


def test_a_route_whose_probe_is_due_is_no_better_than_one_that_is_shut() -> None:
    """Nobody may come to probe it, and what hangs there would hang to the deadline."""
    due = Health(failing_routes=frozenset({A.name}))
    assert gives_up(A, BOTH, due, NEED, 100.0, slowness=1.0)
    assert not gives_up(A, ALONE, due, NEED, 100.0, slowness=1.0)


def test_calls_that_crowd_a_process_are_left_even_where_nothing_else_says_that_the_route_is_ill() -> None:
    well = Health()
    assert not gives_up(A, ALONE, well, NEED, 100.0, slowness=1.4, crowded=True)
    assert gives_up(A, ALONE, well, NEED, 100.0, slowness=1.5, crowded=True)
    assert not gives_up(A, ALONE, well, NEED, 100.0, slowness=1.5)


@pytest.mark.parametrize(("calls", "slowness"), [(0, 1.5), (1, 3.0), (2, 6.0)])
def test_a_job_that_was_left_before_is_given_twice_as_long(calls, slowness) -> None:
    """One that only needs long gets as long as the deadline allows before its calls are used up."""
    crowd = {"crowded": True, "calls": calls}
    assert gives_up(A, ALONE, Health(), NEED, 100.0, slowness=slowness, **crowd)
    assert not gives_up(A, ALONE, Health(), NEED, 100.0, slowness=slowness - 0.1, **crowd)
