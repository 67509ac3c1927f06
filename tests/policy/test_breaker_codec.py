"""A breaker goes into a flat hash of texts and comes back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.auth_outage import AuthRecord
from holdfast.policy.breaker_codec import FIELDS, dump, parse
from holdfast.policy.breaker_state import Breaker, CallSample, Closed, Disabled, ForcedOpen, HalfOpen, Open
from holdfast.policy.fault_streak import FaultStreak

seconds = st.floats(0, 4e9)
calls = st.builds(CallSample, seconds, st.booleans())
states = st.one_of(
    st.builds(
        Closed,
        failures=st.integers(0, 1_000),
        slow=st.integers(0, 1_000),
        window=st.lists(calls, max_size=20).map(tuple),
        ramp=st.none() | seconds,
        streak=st.none() | st.builds(FaultStreak, seconds, seconds, st.integers(1, 1_000), st.integers(0, 1_000)),
        auth_history=st.lists(st.builds(AuthRecord, st.text(), seconds, st.integers(0, 9)), max_size=3).map(tuple),
        believed_until=st.none() | seconds,
    ),
    st.builds(Open, seconds, seconds, wrong=st.none() | st.integers(0, 99)),
    st.builds(HalfOpen, seconds, seconds, seconds, wrong=st.none() | st.integers(0, 99)),
    st.just(ForcedOpen()),
    st.just(Disabled()),
)
breakers = st.builds(
    Breaker,
    states,
    epoch=st.integers(0, 2**53),
    since=st.none() | seconds,
    recovered=st.none() | seconds,
    auth_outage=st.booleans(),
)


@given(breakers)
def test_a_breaker_survives_the_hash_without_loss(breaker: Breaker) -> None:
    fields = dump(breaker)
    assert parse(fields) == breaker
    assert all(isinstance(text, str) for text in fields.values())


@given(breakers, breakers)
def test_writing_over_an_older_hash_leaves_nothing_of_it(older: Breaker, newer: Breaker) -> None:
    assert parse({**dump(older), **dump(newer)}) == newer
    assert tuple(dump(newer)) == FIELDS


def test_a_missing_hash_is_a_closed_breaker() -> None:
    assert parse({}) == Breaker()


def test_a_probe_given_out_by_the_gate_s_script_reads_as_half_open() -> None:
    hash_ = dump(Breaker(Open(until=10.0, cool_off=2.0), epoch=4, since=1.0))
    hash_ |= {"state": "half_open", "epoch": "5", "until": "1700000030.1230001", "lent": "1700000005.123"}
    assert parse(hash_) == Breaker(HalfOpen(1700000030.1230001, 2.0, 1700000005.123), epoch=5, since=1.0)


@pytest.mark.parametrize("fields", [{"state": "ajar"}, {"state": "open", "until": "x", "cool_off": "1"}])
def test_garbage_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        parse(fields)
