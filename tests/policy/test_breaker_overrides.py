"""What a person changes of a breaker: its rules, and the end of a cool-off."""

import pytest

from holdfast.policy.breaker import (
    Admission,
    Breaker,
    Closed,
    Disabled,
    ForcedOpen,
    HalfOpen,
    Open,
    Refusal,
    admit,
    end_cool_off,
)
from holdfast.policy.breaker_rules import Rules


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
