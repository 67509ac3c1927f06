"""When a lane will be empty: from its pace, bounded by limits; and in words why nobody can say."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.eta import SLOT, Eta, RouteCapacity, drain_rate, eta

NOON = 1_800_014_400.0  # 12:00:00 UTC
OPEN = RouteCapacity("a/m")


def slots(*counts: int, age: float = SLOT) -> list[tuple[float, int]]:
    """Slots without a gap, youngest first."""
    return [(age + place * SLOT, count) for place, count in enumerate(counts) if count]


def test_an_empty_lane_is_empty_now_whatever_its_routes_do() -> None:
    assert eta(0, [], [], NOON) == Eta(0.0, "nothing waits")


def test_a_lane_drains_at_the_pace_at_which_its_jobs_end() -> None:
    assert eta(300, slots(50, 50, 50, 50), [OPEN], NOON) == Eta(30.0, "at 10.0 jobs/s, as lately")


def test_what_ended_before_a_pause_says_nothing_of_the_drain_after_it() -> None:
    before_an_outage = [(90.0, 5), (95.0, 5)]
    assert drain_rate(slots(50, 50) + before_an_outage) == drain_rate(slots(50, 50)) == 10.0


def test_a_lane_whose_jobs_end_seldom_still_has_a_pace() -> None:
    assert drain_rate([(50.0, 1)]) == 0.02


def test_the_limits_of_the_open_routes_bound_the_pace() -> None:
    ways = [
        RouteCapacity("a/m", per_second=2.0),
        RouteCapacity("b/m", per_second=3.0),
        RouteCapacity("c/m", shut=True, again=5.0, per_second=99.0),
    ]
    told = eta(100, slots(500), ways, NOON)
    assert told.seconds == 20.0
    assert "limits of its open routes" in told.why


def test_right_after_an_outage_the_limits_say_what_the_pace_cannot_yet() -> None:
    assert eta(100, [], [RouteCapacity("a/m", per_second=5.0)], NOON).seconds == 20.0


def test_a_route_without_a_known_limit_bounds_nothing() -> None:
    ways = [RouteCapacity("a/m", per_second=1.0), RouteCapacity("b/m")]
    assert eta(100, slots(50), ways, NOON).seconds == 10.0
    assert eta(100, [], ways, NOON) == Eta(None, "nothing has ended lately, and no limit of its open routes is known")


def test_while_every_route_is_shut_it_says_which_one_comes_first_and_when() -> None:
    ways = [
        RouteCapacity("a/m", shut=True, again=90.0),
        RouteCapacity("b/m", shut=True, again=30.0),
        RouteCapacity("c/m", shut=True),
    ]
    assert eta(9, slots(50), ways, NOON) == Eta(None, "waits for b/m until 12:00:30 UTC")


def test_what_an_operator_shut_waits_for_the_operator() -> None:
    assert (
        eta(9, [], [RouteCapacity("a/m", shut=True)], NOON).why == "waits for a/m until an operator lets calls through"
    )


def test_a_plan_without_routes_says_so() -> None:
    assert eta(9, [], [], NOON).why == "no route of its plan can be used"


@given(
    st.integers(0, 10**7),
    st.lists(st.tuples(st.floats(0, 120), st.integers(0, 10**6))).map(sorted),
    st.lists(
        st.builds(
            RouteCapacity,
            st.just("r"),
            st.booleans(),
            st.none() | st.floats(0, 1e6),
            st.none() | st.floats(0, 1e6),
        )
    ),
)
def test_an_estimate_is_never_negative_and_always_has_a_reason(left, ended, ways) -> None:
    told = eta(left, ended, ways, NOON)
    assert told.why
    assert told.seconds is None or told.seconds >= 0
