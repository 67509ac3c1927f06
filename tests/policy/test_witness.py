"""A host that alone cannot reach a provider opens no breaker of the fleet's; two of them do, or the provider's word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.breaker import Breaker, Closed, Open, hear
from holdfast.policy.breaker_fields import dump, parse
from holdfast.policy.report import is_hearsay
from holdfast.policy.rules import RULES
from holdfast.policy.verdict import Heard, ScopeKind, Verdict

SHARED = [ScopeKind.ROUTE, ScopeKind.ENDPOINT]


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def after(kind: ScopeKind, *seen: tuple[str, Verdict]) -> Breaker:
    """A breaker that heard each verdict from its witness, a tenth of a second apart."""
    breaker = Breaker()
    for i, (witness, verdict) in enumerate(seen):
        breaker = hear(breaker, Heard(i / 10, breaker.epoch, verdict, witness), RULES[kind], middle)
    return breaker


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize("verdict", [Verdict.FAULT, Verdict.SLOW])
def test_one_host_with_a_broken_link_opens_nothing(kind: ScopeKind, verdict: Verdict) -> None:
    assert isinstance(after(kind, *[("a", verdict)] * 200).state, Closed)


@pytest.mark.parametrize("kind", SHARED)
def test_a_second_host_that_sees_the_same_opens_it(kind: ScopeKind) -> None:
    assert isinstance(after(kind, *[("a", Verdict.FAULT)] * 5, ("b", Verdict.FAULT)).state, Open)


@pytest.mark.parametrize("kind", SHARED)
def test_the_provider_s_own_word_needs_no_second_witness(kind: ScopeKind) -> None:
    assert isinstance(after(kind, *[("a", Verdict.FAULT)] * 4, ("", Verdict.FAULT)).state, Open)


def test_successes_of_others_keep_one_broken_link_from_ever_opening_the_route() -> None:
    mixed = [("a", Verdict.FAULT), ("a", Verdict.FAULT), ("b", Verdict.OK)] * 100
    assert isinstance(after(ScopeKind.ROUTE, *mixed).state, Closed)


@given(st.frozensets(st.text(max_size=20), max_size=4))
def test_witnesses_survive_the_hash_whatever_hosts_are_called(names: frozenset[str]) -> None:
    names = frozenset(name for name in names if name.isprintable())
    breaker = Breaker(Closed(witnesses=names))
    assert parse(dump(breaker)) == breaker


def test_what_never_came_back_from_the_provider_is_hearsay_and_every_status_is_not() -> None:
    silent = {kind for kind in FaultKind if is_hearsay(Fault(kind))}
    assert silent == {FaultKind.UNREACHABLE, FaultKind.TIMED_OUT, FaultKind.CUT}
    assert not is_hearsay(None)
