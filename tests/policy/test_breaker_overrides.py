"""What a person changes of a breaker: its rules, and the end of a cool-off."""

import pytest

from holdfast.policy.breaker import Admission, Refusal, admit, end_cool_off, force
from holdfast.policy.breaker_rules import Rules
from holdfast.policy.breaker_state import Breaker, Closed, Disabled, ForcedOpen, HalfOpen, Open


def test_the_operator_s_overrides_change_only_what_they_name() -> None:
    assert Rules().overridden({"consecutive": 3, "cap": 30.0}) == Rules(consecutive=3, cap=30.0)


def test_a_cool_off_that_is_ended_early_lets_one_probe_out_at_once() -> None:
    rules, now = Rules(), 1_000.0
    hastened = end_cool_off(Breaker(Open(until=1_030.0, cool_off=30.0), epoch=3))
    probing, first = admit(hastened, now, rules)
    assert isinstance(first, Admission)
    assert isinstance(admit(probing, now, rules)[1], Refusal)


@pytest.mark.parametrize("state", [Closed(), HalfOpen(9.0, 1.0), ForcedOpen(), Disabled()])
def test_what_does_not_cool_off_cannot_be_hastened(state) -> None:
    breaker = Breaker(state)
    assert end_cool_off(breaker) is breaker


@pytest.mark.parametrize(("want", "state"), [("open", ForcedOpen()), ("closed", Disabled())])
def test_what_is_forced_is_so_at_once_and_lifted_the_breaker_starts_anew(want, state) -> None:
    """Every permit from before counts for nothing."""
    forced = force(Breaker(Open(until=9.0, cool_off=3.0), epoch=3, since=1.0), want)
    assert (forced.state, forced.epoch) == (state, 4)
    assert force(forced, None) == Breaker(Closed(), epoch=5)
