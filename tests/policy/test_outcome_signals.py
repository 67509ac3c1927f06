"""What the outcome of a call says to the gate: signals for the breakers, a pause for the bucket."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import Evidence, Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.policy.outcome_signals import LONGEST_WAIT, asked_wait, is_below_limit, pause, signals
from holdfast.policy.rate_limit import TRUSTED_PAUSE
from holdfast.policy.signals import ScopeKind, Signal, scope_kind, scope_names

K = FaultKind
_, OK, FAULT, FATAL = Signal.NONE, Signal.OK, Signal.FAULT, Signal.FATAL

# signal               route  credential  endpoint
TABLE = {
    K.INVALID_REQUEST: (Signal.CLIENT_ERROR, OK, OK),
    K.UNMAPPABLE: (_, _, _),
    K.TOO_LONG: (_, OK, OK),
    K.SPEND_LIMIT: (_, FATAL, OK),
    K.AUTH: (_, FAULT, Signal.AUTH_REJECTED),
    K.NO_TOKEN: (_, FAULT, _),
    K.CLOCK_SKEW: (_, _, _),
    K.FORBIDDEN: (Signal.SUSPECT, _, OK),
    K.MODEL_NOT_FOUND: (FATAL, _, OK),
    K.REQUEST_TIMEOUT: (FAULT, _, OK),
    K.CONFLICT: (_, OK, OK),
    K.RATE_LIMITED: (_, OK, OK),
    K.RAMP_LIMITED: (_, OK, OK),
    K.SERVER_ERROR: (FAULT, _, OK),
    K.OVERLOADED: (FAULT, _, OK),
    K.UNREACHABLE: (_, _, FAULT),
    K.TIMED_OUT: (FAULT, _, _),
    K.CONNECTION_LOST: (FAULT, _, _),
    K.BAD_ANSWER: (FAULT, _, OK),
    K.BAD_OUTPUT: (OK, OK, OK),
    K.REFUSED: (OK, OK, OK),
    K.HEDGE_PRIMARY_LOST: (Signal.HEDGED_LATE, _, _),
    K.HEDGE_SECONDARY_LOST: (_, _, _),
    K.INTERNAL: (_, _, _),
    K.POISON: (_, _, _),
    K.EXHAUSTED: (_, _, _),
    K.EXPIRED: (_, _, _),
}


@pytest.mark.parametrize("kind", FaultKind)
def test_each_fault_is_told_to_whom_it_concerns(kind: FaultKind) -> None:
    told = signals(Fault(kind, evidence=Evidence.CODE))
    assert (told[ScopeKind.ROUTE], told[ScopeKind.CREDENTIAL], told[ScopeKind.ENDPOINT]) == TABLE[kind]


@pytest.mark.parametrize("kind", FaultKind)
def test_a_status_alone_parks_nothing_at_once(kind: FaultKind) -> None:
    told = tuple(signals(Fault(kind)).values())
    assert told == tuple(Signal.SUSPECT if signal is FATAL else signal for signal in TABLE[kind])


def test_words_of_money_park_the_key_unless_they_name_what_is_left() -> None:
    def says(**more) -> Signal:
        return signals(Fault(K.SPEND_LIMIT, evidence=Evidence.WORDS, **more))[ScopeKind.CREDENTIAL]

    assert says() is FATAL
    assert says(output_ceiling=900) is Signal.SUSPECT
    assert signals(Fault(K.MODEL_NOT_FOUND, evidence=Evidence.WORDS))[ScopeKind.ROUTE] is Signal.SUSPECT


@pytest.mark.parametrize("kind", FaultKind)
def test_what_is_the_job_s_own_is_told_to_nobody_as_a_fault(kind: FaultKind) -> None:
    told = tuple(signals(Fault(kind, evidence=Evidence.CODE), own=True).values())
    assert told == tuple(OK if signal is OK else _ for signal in TABLE[kind])


@pytest.mark.parametrize("kind", FaultKind)
def test_a_limiter_that_refuses_what_is_far_below_the_limit_is_the_route_s_fault(kind: FaultKind) -> None:
    told = signals(Fault(kind, evidence=Evidence.CODE), below_limit=True)
    assert told[ScopeKind.ROUTE] is (FAULT if kind is K.RATE_LIMITED else TABLE[kind][0])
    assert (told[ScopeKind.CREDENTIAL], told[ScopeKind.ENDPOINT]) == TABLE[kind][1:]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, True),
        ({Dimension.REQUESTS: LimitSeen(3_000)}, True),
        ({Dimension.REQUESTS: LimitSeen(3_000, remaining=45)}, True),
        ({Dimension.REQUESTS: LimitSeen(3_000, remaining=0)}, False),
        ({Dimension.INPUT_TOKENS: LimitSeen(400_000, remaining=500)}, False),
        ({Dimension.REQUESTS: LimitSeen(3_000, 45), Dimension.INPUT_TOKENS: LimitSeen(400_000, 300_000)}, True),
    ],
)
def test_headers_that_show_a_limit_used_up_are_believed_before_our_ledger(seen, expected) -> None:
    assert is_below_limit(seen, permitted=True) is expected
    assert not is_below_limit(seen, permitted=False)


def test_a_reply_speaks_well_of_all_three() -> None:
    reply = Reply(text="", finish=Finish.REFUSED, usage=Usage(), model="opus")
    assert set(signals(reply).values()) == {OK}


def test_a_call_that_was_never_made_says_nothing() -> None:
    assert set(signals(None).values()) == {Signal.NONE}


@given(st.sampled_from(list(FaultKind)), st.none() | st.floats(allow_nan=True, allow_infinity=True))
def test_only_rate_limits_pause_a_bucket_and_never_for_more_than_a_day(kind, retry_after) -> None:
    seconds = pause(Fault(kind, retry_after=retry_after), lambda _low, high: high)
    assert (seconds is not None) is (kind in {K.RATE_LIMITED, K.RAMP_LIMITED})
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= LONGEST_WAIT + 1)


def test_a_sick_limiter_pauses_nothing_unless_it_names_a_time() -> None:
    assert pause(Fault(K.RATE_LIMITED), lambda low, _high: low, below_limit=True) is None
    assert pause(Fault(K.RATE_LIMITED, retry_after=7.0), lambda low, _high: low, below_limit=True) == 7.0
    assert pause(Fault(K.RAMP_LIMITED), lambda low, _high: low, below_limit=True) is not None


def test_a_pause_is_what_the_provider_asked_for() -> None:
    assert pause(Fault(K.RATE_LIMITED, retry_after=7.0), lambda low, _high: low) == 7.0


def test_a_job_waits_for_what_is_believed_and_for_no_wait_of_years() -> None:
    assert asked_wait(Fault(K.RATE_LIMITED, retry_after=TRUSTED_PAUSE)) == TRUSTED_PAUSE
    assert asked_wait(Fault(K.RATE_LIMITED, retry_after=999_999_999.0)) is None


def test_a_scope_s_name_tells_its_kind() -> None:
    for kind, name in scope_names("anthropic", "claude/opus", "main").items():
        assert scope_kind(name) is kind
