"""Retries beyond a fifth of the calls (and ten a second) come later; reroutes and guarded routes are not slowed."""

from clocks import CrankedClock
from holdfast.model.step import Reroute, Retry
from holdfast.worker.retries import Retries

RETRY = Retry(delay=1.0, uses_attempt=False, avoid={})


def retries_at_rest() -> Retries:
    return Retries(CrankedClock(lambda: 0.0))


def test_a_few_retries_come_when_they_would():
    retries = retries_at_rest()
    assert [retries.paced(RETRY, guarded=False).delay for _ in range(10)] == [1.0] * 10


def test_retries_beyond_the_budget_come_a_tenth_of_a_second_apart():
    retries = retries_at_rest()
    for _ in range(10):
        retries.paced(RETRY, guarded=False)
    delays = [round(retries.paced(RETRY, guarded=False).delay, 3) for _ in range(3)]
    assert delays == [1.1, 1.2, 1.3]


def test_five_first_calls_earn_one_retry():
    retries = retries_at_rest()
    for _ in range(10):
        retries.paced(RETRY, guarded=False)
    for _ in range(5):
        retries.first_call()
    assert round(retries.paced(RETRY, guarded=False).delay, 3) == 1.0


def test_an_open_breaker_paces_what_comes_back_so_the_budget_is_not_asked():
    retries = retries_at_rest()
    assert {retries.paced(RETRY, guarded=True).delay for _ in range(100)} == {1.0}


def test_a_reroute_is_not_a_retry():
    step = Reroute(avoid={"a/b": 1.0}, uses_attempt=False)
    assert retries_at_rest().paced(step, guarded=False) is step
