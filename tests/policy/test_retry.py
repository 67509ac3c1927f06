"""The table of what a failure means: one row of it, one row here. Then what holds for every row."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_ATTEMPTS, MAX_CALLS, Claimed, Need
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request
from holdfast.model.route import Api, Plan, Route
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze
from holdfast.policy.comparison import NOTHING_KNOWN, Comparison
from holdfast.policy.fault_rules import FAULT_RULES, Scope, may_be_billed
from holdfast.policy.health import Health
from holdfast.policy.retry import AVOID_LEAST, next_step

NOW = 1_000_000.0
A = Route("anthropic", "opus", Api.ANTHROPIC, "opus", ("main",))
B = Route("openai", "gpt", Api.OPENAI_CHAT, "gpt", ("main",))
C = Route("local", "llama", Api.OPENAI_CHAT, "llama", ("main",))
A_WITH_TWO_KEYS = Route("anthropic", "opus", Api.ANTHROPIC, "opus", ("main", "spare"))
ALONE, BOTH, ALL = Plan("smart", (A,)), Plan("smart", (A, B)), Plan("smart", (A, B, C))
K = FaultKind


def job(avoid=None, lane="smart.batch", **more) -> Claimed:
    values = {"attempt_number": 1, "attempts": 0, "calls": 0, "tries": 0, "expires_at": None} | more
    values = {"request": Request(turns=())} | values
    return Claimed("0" * 32, lane, "smart", 1, 1, need=Need(10, 10, avoid or {}), **values)


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def step(outcome, claimed=None, plan=BOTH, *, route=None, shut=(), uniform=middle, comparison=NOTHING_KNOWN):
    health, route = Health(frozenset(each.name for each in shut)), route or plan.routes[0]
    return next_step(claimed or job(), route, plan, outcome, health, NOW, uniform, comparison=comparison)


def reply(finish: Finish = Finish.STOP) -> Reply:
    return Reply(text="Paris", finish=finish, usage=Usage(), model="opus")


GUARDED = Reroute({A.name: 0.5}, uses_attempt=False)
LATER = Retry(0.5, uses_attempt=False, avoid={})
PARKED = Snooze(0.5, {})

# signal                        with another route         alone
TABLE = {
    K.SPEND_LIMIT: (GUARDED, PARKED),
    K.NO_TOKEN: (GUARDED, PARKED),
    K.AUTH: (GUARDED, PARKED),
    K.CLOCK_SKEW: (PARKED, PARKED),
    K.FORBIDDEN: (GUARDED, PARKED),
    K.MODEL_NOT_FOUND: (GUARDED, PARKED),
    K.RATE_LIMITED: (GUARDED, PARKED),
    K.RAMP_LIMITED: (GUARDED, PARKED),
    K.SERVER_ERROR: (GUARDED, LATER),
    K.OVERLOADED: (GUARDED, LATER),
    K.UNREACHABLE: (GUARDED, LATER),
    K.TIMED_OUT: (GUARDED, LATER),
    K.CONNECTION_LOST: (GUARDED, LATER),
    K.BAD_ANSWER: (GUARDED, LATER),
    K.UNMAPPABLE: (Reroute({A.name: None}, uses_attempt=False), K.UNMAPPABLE),
    K.TOO_LONG: (Reroute({A.name: None}, uses_attempt=True), K.TOO_LONG),
    K.REQUEST_TIMEOUT: (Retry(1.5, uses_attempt=True, avoid={}), Retry(1.5, uses_attempt=True, avoid={})),
    K.CONFLICT: (Retry(1.5, uses_attempt=True, avoid={}), Retry(1.5, uses_attempt=True, avoid={})),
    K.BAD_OUTPUT: (Retry(1.5, uses_attempt=True, avoid={}), Retry(1.5, uses_attempt=True, avoid={})),
    K.REFUSED: (Reroute({A.name: None}, uses_attempt=False), K.REFUSED),
    K.HEDGE_PRIMARY_LOST: (PARKED, PARKED),
    K.HEDGE_SECONDARY_LOST: (PARKED, PARKED),
    K.INTERNAL: (PARKED, PARKED),
    K.INVALID_REQUEST: (Reroute({A.name: None}, uses_attempt=True), Retry(1.5, uses_attempt=False, avoid={})),
    K.POISON: (K.POISON, K.POISON),
    K.EXHAUSTED: (K.EXHAUSTED, K.EXHAUSTED),
    K.EXPIRED: (K.EXPIRED, K.EXPIRED),
}


def check(found, expected) -> None:
    if isinstance(expected, FaultKind):
        assert isinstance(found, Bury)
        assert found.reason.kind is expected
    else:
        assert found == expected


@pytest.mark.parametrize("kind", FaultKind)
def test_each_fault_has_its_row(kind: FaultKind) -> None:
    with_another, alone = TABLE[kind]
    check(step(Fault(kind)), with_another)
    check(step(Fault(kind), plan=ALONE), alone)


@pytest.mark.parametrize("finish", Finish)
def test_every_reply_completes_the_job_also_a_cut_or_refused_one(finish: Finish) -> None:
    assert step(reply(finish)) == Complete()


def test_a_reply_that_came_after_the_deadline_is_still_a_result() -> None:
    assert step(reply(), job(expires_at=NOW - 1)) == Complete()


@pytest.mark.parametrize("kind", [K.REQUEST_TIMEOUT, K.CONFLICT])
def test_a_timeout_or_conflict_is_tried_twice_more_here_and_then_elsewhere(kind: FaultKind) -> None:
    steps = [step(Fault(kind), job(attempts=n, tries=n)) for n in range(4)]
    assert [type(each) for each in steps] == [Retry, Retry, Reroute, Reroute]
    assert all(1 <= each.delay <= 2 for each in steps[:2])


def test_a_broken_output_is_tried_here_then_elsewhere_then_buried() -> None:
    steps = [step(Fault(K.BAD_OUTPUT), job(attempts=n, tries=n, fault=K.BAD_OUTPUT)) for n in range(3)]
    assert [type(each) for each in steps] == [Retry, Reroute, Bury]
    assert steps[2].reason.kind is K.BAD_OUTPUT
    assert "3 attempts" in steps[2].reason.message


def test_an_output_that_its_job_repairs_is_tried_once_more_before_it_goes_elsewhere() -> None:
    asked = Request(turns=(), repair=True)
    ways = [job(attempts=n, tries=n, fault=K.BAD_OUTPUT, request=asked) for n in range(4)]
    assert [type(step(Fault(K.BAD_OUTPUT), way)) for way in ways] == [Retry, Retry, Reroute, Bury]
    assert [type(step(Fault(K.BAD_OUTPUT), way, plan=ALONE)) for way in ways[:3]] == [Retry, Retry, Bury]
    assert type(step(Fault(K.CONFLICT), ways[2])) is Reroute


def test_a_rate_limit_waits_as_long_as_the_provider_asked_and_a_little_more() -> None:
    assert step(Fault(K.RATE_LIMITED, retry_after=30.0), plan=ALONE) == Snooze(30.5, {})
    assert step(Fault(K.RATE_LIMITED, retry_after=30.0)) == Reroute({A.name: 30.5}, uses_attempt=False)


@pytest.mark.parametrize("kind", [K.AUTH, K.SPEND_LIMIT, K.RATE_LIMITED])
def test_a_fault_of_one_key_is_followed_by_the_other_key_at_once(kind: FaultKind) -> None:
    plan, main = Plan("smart", (A_WITH_TWO_KEYS, B)), Comparison("main", NOW)
    other = Reroute({"credential:anthropic/main": 0.5}, uses_attempt=False)
    assert step(Fault(kind), plan=plan, comparison=main) == other
    assert step(Fault(kind), plan=plan, comparison=main, shut=[A]) == GUARDED
    refused = job(avoid={"credential:anthropic/spare": NOW + 9})
    assert step(Fault(kind), refused, plan, comparison=main) == Reroute(
        {"credential:anthropic/spare": 9.0, A.name: 0.5}, uses_attempt=False
    )
    assert A.name in step(Fault(kind), job(tries=4), plan=plan, comparison=main).avoid


def test_a_route_that_admits_nothing_is_no_way_out() -> None:
    assert step(Fault(K.SERVER_ERROR), shut=[B]) == LATER
    assert isinstance(step(Fault(K.SERVER_ERROR), job(avoid={B.name: NOW + 60})), Retry)
    assert step(Fault(K.SERVER_ERROR), job(avoid={B.name: NOW - 1})) == GUARDED


def test_what_the_job_had_to_avoid_it_still_avoids() -> None:
    claimed = job(avoid={B.name: NOW + 7, C.name: None})
    assert step(Fault(K.SERVER_ERROR), claimed, plan=ALL) == Retry(0.5, False, {B.name: 7.0, C.name: None})
    assert step(Fault(K.RATE_LIMITED, retry_after=60), claimed, plan=ALL) == Snooze(60.5, {C.name: None})


def test_a_route_that_can_never_take_the_job_is_never_asked_again() -> None:
    claimed = job(avoid={B.name: None}, tries=1)
    assert step(Fault(K.TOO_LONG), claimed, plan=ALL) == Reroute({A.name: None, B.name: None}, uses_attempt=True)
    waiting = step(Fault(K.TOO_LONG), claimed, plan=ALL, shut=[C])
    assert isinstance(waiting, Retry)
    assert waiting.avoid == {A.name: None, B.name: None}
    buried = step(Fault(K.TOO_LONG), job(avoid={B.name: None, C.name: None}), plan=ALL)
    assert buried.reason.kind is K.TOO_LONG
    assert "no route" in buried.reason.message


def test_no_job_dies_of_the_calls_with_which_a_shut_route_was_probed() -> None:
    used_up = job(calls=MAX_CALLS + 3)
    assert step(Fault(K.CONNECTION_LOST, ambiguous=True), used_up, ALONE, shut=(A,)) == LATER
    assert step(Fault(K.CONNECTION_LOST, ambiguous=True), used_up, ALONE).reason.kind is K.EXHAUSTED


def test_eight_calls_that_may_have_been_billed_are_enough() -> None:
    assert step(Fault(K.TIMED_OUT, ambiguous=True), job(calls=MAX_CALLS - 2)) == GUARDED
    buried = step(Fault(K.TIMED_OUT, ambiguous=True), job(calls=MAX_CALLS - 1))
    assert buried.reason.kind is K.EXHAUSTED
    assert step(Fault(K.SERVER_ERROR), job(calls=MAX_CALLS - 1)) == GUARDED
    for billed in (Fault(K.BAD_ANSWER), Fault(K.SERVER_ERROR, ambiguous=True)):
        assert step(billed, job(calls=MAX_CALLS - 1)).reason.kind is K.EXHAUSTED


def test_five_attempts_of_the_job_s_own_doing_are_enough() -> None:
    assert step(Fault(K.CONFLICT), job(attempts=MAX_ATTEMPTS - 1)).reason.kind is K.EXHAUSTED


def test_a_job_past_its_deadline_expires() -> None:
    buried = step(Fault(K.SERVER_ERROR, "503 from the edge", status=503), job(expires_at=NOW))
    assert buried.reason.kind is K.EXPIRED
    assert buried.reason.message == "its deadline passed; anthropic/opus: server error: 503 from the edge"


def test_a_grave_says_what_was_wrong_as_the_provider_said_it() -> None:
    wrong = Fault(K.INVALID_REQUEST, "max_tokens: too large", status=400, code="invalid", wrong_everywhere=True)
    reason = step(wrong).reason
    assert (reason.message, reason.status, reason.code) == ("max_tokens: too large", 400, "invalid")


# What holds for every row

names = st.sampled_from([A.name, B.name, C.name])
faults = st.builds(
    Fault,
    st.sampled_from(list(FaultKind)),
    retry_after=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    ambiguous=st.booleans(),
)
jobs = st.builds(
    job,
    avoid=st.dictionaries(names, st.none() | st.floats(NOW - 100, NOW + 10_000)),
    attempts=st.integers(0, 10),
    calls=st.integers(0, 10),
    tries=st.integers(0, 10_000),
    expires_at=st.none() | st.floats(NOW - 10, NOW + 1_000),
)
shut_sets = st.lists(st.sampled_from([A, B, C]), unique=True)
draws = st.floats(0, 1).map(lambda share: lambda low, high: low + share * (high - low))


@given(faults, jobs, st.sampled_from([ALONE, BOTH, ALL]), shut_sets, draws)
def test_waits_are_finite_not_negative_and_never_reach_beyond_the_deadline(fault, claimed, plan, shut, uniform) -> None:
    found = step(fault, claimed, plan, shut=shut, uniform=uniform)
    if isinstance(found, Retry | Snooze):
        assert math.isfinite(found.delay)
        assert found.delay >= 0
        assert claimed.expires_at is None or NOW + found.delay <= claimed.expires_at + 1e-6
    if not isinstance(found, Bury | Complete):
        assert all(seconds is None or (math.isfinite(seconds) and seconds > 0) for seconds in found.avoid.values())


@given(faults, jobs, st.sampled_from([ALONE, BOTH, ALL]), shut_sets, draws)
def test_a_fault_that_is_not_the_job_s_buries_only_at_the_deadline_or_the_cap_on_billed_calls(
    fault, claimed, plan, shut, uniform
) -> None:
    found = step(fault, claimed, plan, shut=shut, uniform=uniform)
    if isinstance(found, Bury) and FAULT_RULES[fault.kind].scope is not Scope.JOB:
        expired = claimed.expires_at is not None and claimed.expires_at <= NOW
        assert expired or (may_be_billed(fault) and claimed.calls + 1 >= MAX_CALLS)


@given(st.lists(faults, min_size=12, max_size=12), jobs, st.sampled_from([BOTH, ALL]), shut_sets, draws)
def test_reroutes_at_one_moment_end_for_the_routes_to_avoid_only_grow(faults, claimed, plan, shut, uniform) -> None:
    avoid = dict(claimed.need.avoid)
    for reroutes, fault in enumerate(faults):
        shunned = {name for name, until in avoid.items() if until is None or until > NOW}
        free = [route for route in plan.routes if route.name not in shunned and route not in shut]
        if not free:
            return
        found = step(fault, job(avoid=avoid, tries=reroutes), plan, route=free[0], shut=shut, uniform=uniform)
        if not isinstance(found, Reroute):
            return
        assert shunned < found.avoid.keys()
        assert found.avoid[free[0].name] is None or found.avoid[free[0].name] >= AVOID_LEAST
        avoid = {name: None if seconds is None else NOW + seconds for name, seconds in found.avoid.items()}
        assert reroutes + 1 < len(plan.routes)


@given(faults, jobs, st.sampled_from([BOTH, ALL]), shut_sets, draws)
def test_a_reroute_always_has_somewhere_to_go(fault, claimed, plan, shut, uniform) -> None:
    found = step(fault, claimed, plan, shut=shut, uniform=uniform)
    if isinstance(found, Reroute):
        assert any(route.name not in found.avoid and route not in shut for route in plan.routes)


def test_every_kind_of_fault_has_its_conduct() -> None:
    assert FAULT_RULES.keys() == set(FaultKind) == TABLE.keys()


@pytest.mark.parametrize("kind", FaultKind)
def test_only_outcomes_of_the_job_s_own_doing_use_an_attempt(kind: FaultKind) -> None:
    own_doing = {K.INVALID_REQUEST, K.TOO_LONG, K.REQUEST_TIMEOUT, K.CONFLICT, K.BAD_OUTPUT}
    assert FAULT_RULES[kind].uses_attempt is (kind in own_doing)


def widest(low: float, high: float) -> float:
    return high


def waited_for(**more) -> Claimed:
    return job(lane="smart.interactive", **more)


def test_a_job_that_somebody_waits_for_is_tried_again_sooner_than_one_of_a_batch() -> None:
    for tries in range(8):
        batch = step(Fault(K.SERVER_ERROR), job(tries=tries), ALONE, uniform=widest)
        soon = step(Fault(K.SERVER_ERROR), waited_for(tries=tries), ALONE, uniform=widest)
        assert isinstance(batch, Retry)
        assert isinstance(soon, Retry)
        assert soon.delay == min(2.0, batch.delay / 4)


def test_a_job_that_somebody_waits_for_has_several_tries_before_its_deadline() -> None:
    now, delays = NOW, []
    for tries in range(6):
        left = NOW + 4.0 - now
        claimed = waited_for(tries=tries + 5, expires_at=NOW + left)
        decided = step(Fault(K.SERVER_ERROR), claimed, ALONE, uniform=widest)
        delays.append(decided.delay)
        now += decided.delay
    assert delays[0] == 1.0
    assert now < NOW + 4.0


def test_what_a_provider_asks_for_is_waited_for_by_everybody() -> None:
    limited = Fault(K.RATE_LIMITED, retry_after=7.0)
    assert step(limited, waited_for(), ALONE).delay >= 7.0
    assert step(limited, waited_for(expires_at=NOW + 5.0), ALONE).delay == 5.0
