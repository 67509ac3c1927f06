"""A hedge is a second call: it needs a budget, which is a share of the first ones."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.hedging import SAVED, HedgeBudget, avoiding, earn, refund, spend


def test_twenty_calls_earn_one_hedge_of_five_percent():
    budget = HedgeBudget()
    for _ in range(19):
        budget = earn(budget, 0.05)
    assert spend(budget) is None
    assert spend(earn(budget, 0.0501)) is not None


def test_a_hedge_that_found_no_route_is_given_back():
    budget = spend(HedgeBudget(level=1.0))
    assert budget is not None
    assert refund(budget) == HedgeBudget(level=1.0)
    assert refund(HedgeBudget(level=SAVED)) == HedgeBudget(level=SAVED)  # no more than may be saved


def test_a_second_call_keeps_what_its_job_avoids_and_never_takes_the_barred_routes():
    assert avoiding({"a/m": 5.0, "c/m": None}, ["a/m", "b/m"]) == {"a/m": None, "b/m": None, "c/m": None}


@given(st.lists(st.booleans(), max_size=300), st.floats(0.001, 1.0))
def test_hedges_are_never_more_than_their_share_of_the_calls(wanted: list[bool], share: float):
    budget, hedges = HedgeBudget(), 0
    for calls, want in enumerate(wanted, start=1):
        budget = earn(budget, share)
        if want and (spent := spend(budget)) is not None:
            budget, hedges = spent, hedges + 1
        assert hedges <= calls * share + 1e-6
        assert 0.0 <= budget.level <= SAVED
