"""A host that alone cannot reach a provider opens no breaker of the fleet's; two of them do, or the provider's word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.breaker import record
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_rules import RULES
from holdfast.policy.breaker_state import Breaker, Closed, Open
from holdfast.policy.outcome_signals import is_connectivity_fault
from holdfast.policy.signals import Observation, ScopeKind, Signal

SHARED = [ScopeKind.ROUTE, ScopeKind.ENDPOINT]


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def after(kind: ScopeKind, *seen: tuple[str, Signal]) -> Breaker:
    """A breaker that observation each signal from its reporter, a tenth of a second apart."""
    breaker = Breaker()
    for i, (reporter, signal) in enumerate(seen):
        breaker = record(breaker, Observation(i / 10, breaker.epoch, signal, reporter), RULES[kind], middle)
    return breaker


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize("signal", [Signal.FAULT, Signal.SLOW])
def test_one_host_with_a_broken_link_opens_nothing(kind: ScopeKind, signal: Signal) -> None:
    assert isinstance(after(kind, *[("a", signal)] * 200).state, Closed)


@pytest.mark.parametrize("kind", SHARED)
def test_a_second_host_that_sees_the_same_opens_it(kind: ScopeKind) -> None:
    assert isinstance(after(kind, *[("a", Signal.FAULT)] * 5, ("b", Signal.FAULT)).state, Open)


@pytest.mark.parametrize("kind", SHARED)
def test_the_provider_s_own_word_needs_no_second_witness(kind: ScopeKind) -> None:
    assert isinstance(after(kind, *[("a", Signal.FAULT)] * 4, ("", Signal.FAULT)).state, Open)


def test_successes_of_others_keep_one_broken_link_from_ever_opening_the_route() -> None:
    mixed = [("a", Signal.FAULT), ("a", Signal.FAULT), ("b", Signal.OK)] * 100
    assert isinstance(after(ScopeKind.ROUTE, *mixed).state, Closed)


@given(st.frozensets(st.text(max_size=20), max_size=4))
def test_witnesses_survive_the_hash_whatever_hosts_are_called(names: frozenset[str]) -> None:
    names = frozenset(name for name in names if name.isprintable())
    breaker = Breaker(Closed(reporters=names))
    assert parse(dump(breaker)) == breaker


def test_what_never_came_back_from_the_provider_is_hearsay_and_every_status_is_not() -> None:
    silent = {kind for kind in FaultKind if is_connectivity_fault(Fault(kind))}
    assert silent == {FaultKind.UNREACHABLE, FaultKind.TIMED_OUT, FaultKind.CONNECTION_LOST}
    assert not is_connectivity_fault(None)
