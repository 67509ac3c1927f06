"""Whose fault a failure is: told by what the calls of other jobs came to, on the same route and credential."""

from dataclasses import replace

import pytest

from holdfast.model.fault import Evidence, Fault, FaultKind
from holdfast.model.job import MAX_ATTEMPTS, Claimed, Need
from holdfast.model.request import Request
from holdfast.model.route import Api, Plan, Route
from holdfast.model.step import Bury, Reroute, Retry, Snooze
from holdfast.policy.backoff import ALONE_SHARE, CAP, WAITED_FOR_CAP, WAITED_FOR_LONGEST
from holdfast.policy.comparison import Blame, Comparison, blame, is_its_own
from holdfast.policy.error_burst import OFTEN
from holdfast.policy.fault_rules import GUARDED_CAP
from holdfast.policy.health import Health
from holdfast.policy.retry import SHUT_CAP, next_step

K = FaultKind
NOW = 1_000.0
ROUTE, OTHER = Route("a", "m", Api.ANTHROPIC, "m", ("main",)), Route("b", "m", Api.OPENAI_CHAT, "m", ("main",))
WELL = Health()
OTHERS_SUCCEED = Comparison("main", failing_since=900.0, reply_sent=950.0, reply_came=951.0)
NOBODY_ELSE = Comparison("main", failing_since=900.0)
OTHERS_FAIL = Comparison("main", failing_since=900.0, reply_sent=800.0, reply_came=901.0, others_failing=5)
REFUSALS = [K.FORBIDDEN, K.MODEL_NOT_FOUND, K.SPEND_LIMIT]
EVERYBODYS = [kind for kind in FaultKind if blame(Fault(kind), "a/m", OTHERS_SUCCEED, WELL) is Blame.JOB]


def job(avoid=None, **more) -> Claimed:
    values = {"attempt_number": 1, "attempts": 0, "calls": 0, "tries": 0, "expires_at": None} | more
    return Claimed("0" * 32, "m.batch", "m", 1, 1, need=Need(1, 1, avoid or {}), request=Request(turns=()), **values)


def step(kind, comparison, health=WELL, *, routes=(ROUTE,), claimed=None, fault=None, uniform=lambda low, _high: low):
    outcome = fault or Fault(kind, "no")
    return next_step(claimed or job(), ROUTE, Plan("m", routes), outcome, health, NOW, uniform, comparison=comparison)


def whose(comparison, health=WELL):
    return blame(Fault(K.SERVER_ERROR), "a/m", comparison, health)


def test_it_is_the_job_s_where_a_call_sent_later_brought_a_reply():
    assert whose(OTHERS_SUCCEED) is Blame.JOB


def test_a_reply_to_a_call_from_before_says_nothing_of_now():
    assert whose(Comparison("main", 900.0, reply_sent=899.0, reply_came=899.5)) is Blame.UNKNOWN


def test_a_reply_that_came_beside_tells_while_hardly_anybody_fails():
    beside = Comparison("main", 900.0, reply_sent=899.0, reply_came=900.5, others_failing=1)
    assert whose(beside) is Blame.JOB
    assert whose(Comparison("main", 900.0, reply_sent=899.0, reply_came=900.5, others_failing=2)) is Blame.UNKNOWN


@pytest.mark.parametrize("ill", ["open_routes", "failing_routes", "degraded"])
def test_it_is_never_the_job_s_on_a_route_that_fails_many(ill):
    assert whose(OTHERS_SUCCEED, Health(**{ill: frozenset({"a/m"})})) is Blame.ROUTE


def test_what_is_ours_is_nobody_s():
    ours = {K.INTERNAL, K.CLOCK_SKEW, K.HEDGE_SECONDARY_LOST}
    assert set(FaultKind) - set(EVERYBODYS) == ours


@pytest.mark.parametrize("kind", EVERYBODYS)
def test_everything_ends_after_five_failures_between_which_others_succeeded(kind):
    last = step(kind, OTHERS_SUCCEED, claimed=job(attempts=MAX_ATTEMPTS - 1))
    assert isinstance(last, Bury)
    if last.reason.kind is K.EXHAUSTED is not kind:
        assert "other jobs succeeded" in last.reason.message


@pytest.mark.parametrize("kind", [K.SERVER_ERROR, K.OVERLOADED, K.AUTH, K.RATE_LIMITED, K.UNREACHABLE])
def test_each_failure_among_others_that_succeed_uses_an_attempt(kind):
    found = step(kind, OTHERS_SUCCEED)
    assert isinstance(found, Retry)
    assert found.uses_attempt


@pytest.mark.parametrize("kind", [*REFUSALS, K.SERVER_ERROR, K.OVERLOADED, K.AUTH, K.RATE_LIMITED])
@pytest.mark.parametrize(
    ("comparison", "health"),
    [(NOBODY_ELSE, WELL), (OTHERS_FAIL, WELL), (OTHERS_SUCCEED, Health(failing_routes=frozenset({"a/m"})))],
)
def test_no_job_ends_of_a_real_outage_however_often_it_failed(kind, comparison, health):
    spent = job(attempts=MAX_ATTEMPTS, tries=50)
    found = step(kind, comparison, health, claimed=spent)
    assert isinstance(found, Retry | Snooze)
    assert isinstance(found, Snooze) or not found.uses_attempt


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_one_job_alone_is_final_for_the_route_the_second_time(kind):
    both = (ROUTE, OTHER)
    assert step(kind, OTHERS_SUCCEED, routes=both) == Reroute({"a/m": 0.1}, uses_attempt=True)
    assert step(kind, OTHERS_SUCCEED, routes=both, claimed=job(attempts=1)) == Reroute({"a/m": None}, uses_attempt=True)
    alone = step(kind, OTHERS_SUCCEED, claimed=job(attempts=1))
    assert isinstance(alone, Bury)
    assert alone.reason.kind is kind


def test_a_wrong_request_is_buried_at_once_where_others_succeed():
    assert isinstance(step(K.INVALID_REQUEST, OTHERS_SUCCEED), Bury)


def test_what_words_or_a_code_call_wrong_is_buried_at_once_where_there_is_no_other_route():
    for evidence in (Evidence.CODE, Evidence.WORDS):
        assert isinstance(step(None, NOBODY_ELSE, fault=Fault(K.INVALID_REQUEST, evidence=evidence)), Bury)


def test_a_slip_of_the_model_is_repeated_once_and_then_elsewhere_alone_it_ends():
    again = job(attempts=1, calls=1, fault=K.BAD_OUTPUT)
    assert isinstance(step(K.BAD_OUTPUT, NOBODY_ELSE), Retry)
    assert isinstance(step(K.BAD_OUTPUT, NOBODY_ELSE, routes=(ROUTE, OTHER), claimed=again), Reroute)
    assert isinstance(step(K.BAD_OUTPUT, NOBODY_ELSE, claimed=again), Bury)


def test_a_wrong_request_steps_back_once_where_nobody_can_be_compared():
    assert step(K.INVALID_REQUEST, NOBODY_ELSE) == Retry(1.0, uses_attempt=False, avoid={})
    assert isinstance(step(K.INVALID_REQUEST, NOBODY_ELSE, claimed=job(fault=K.INVALID_REQUEST)), Bury)


def test_called_wrong_twice_beside_others_a_job_waits_until_a_burst_would_be_seen():
    beside = Comparison("main", 900.0, reply_sent=800.0, reply_came=801.0, others_lately=1)
    lately = Comparison("main", 900.0, reply_sent=880.0, reply_came=881.0)

    def wait(comparison, tries, **more):
        found = step(
            None, comparison, claimed=job(fault=K.INVALID_REQUEST, tries=tries), fault=Fault(K.INVALID_REQUEST, **more)
        )
        return found.delay if isinstance(found, Retry) else None

    assert [wait(beside, tries) for tries in (1, 2, 3)] == [30.0, 30.0, None]
    assert [wait(lately, tries) for tries in (1, 2, 3)] == [5.0, None, None]
    assert wait(beside, 1, names_part=True) is None
    assert wait(NOBODY_ELSE, 1) is None
    assert wait(OTHERS_SUCCEED, 1) is None


def test_a_reply_that_came_beside_ends_no_request_that_nobody_names_a_fault_of():
    beside = Comparison("main", 900.0, reply_sent=899.0, reply_came=901.0)
    assert isinstance(step(K.INVALID_REQUEST, beside), Retry)
    assert isinstance(step(K.INVALID_REQUEST, beside, claimed=job(fault=K.INVALID_REQUEST, tries=1)), Bury)
    assert isinstance(step(None, beside, fault=Fault(K.INVALID_REQUEST, names_part=True)), Bury)


def test_a_route_that_refused_is_not_asked_again_and_each_other_one_is_asked_once():
    both = (ROUTE, OTHER)
    assert step(K.INVALID_REQUEST, NOBODY_ELSE, routes=both) == Reroute({"a/m": None}, uses_attempt=True)
    refused = job(avoid={"b/m": None}, fault=K.INVALID_REQUEST)
    assert isinstance(step(K.INVALID_REQUEST, NOBODY_ELSE, routes=both, claimed=refused), Bury)


def test_a_useless_answer_is_paid_for_twice_at_most():
    first = step(K.BAD_ANSWER, NOBODY_ELSE)
    assert isinstance(first, Retry)
    again = step(K.BAD_ANSWER, NOBODY_ELSE, claimed=job(calls=1, fault=K.BAD_ANSWER))
    assert isinstance(again, Bury)
    assert again.reason.kind is K.BAD_ANSWER


def test_a_useless_answer_ends_nobody_while_an_outage_may_have_begun():
    again = job(calls=1, fault=K.BAD_ANSWER)
    early = Comparison("main", 900.0, reply_sent=899.0, reply_came=901.0)
    another = Comparison("main", 900.0, reply_sent=950.0, reply_came=951.0, others_lately=1)
    assert isinstance(step(K.BAD_ANSWER, early, claimed=again), Retry)
    assert isinstance(step(K.BAD_ANSWER, another, claimed=again), Retry)
    assert isinstance(step(K.BAD_ANSWER, OTHERS_SUCCEED, claimed=again), Bury)


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_reply_that_came_beside_makes_no_refusal_final(kind):
    beside = Comparison("main", 900.0, reply_sent=899.0, reply_came=901.0)
    assert isinstance(step(kind, beside, claimed=job(attempts=1)), Retry)


def test_useless_answers_to_everybody_end_nobody():
    shut = Health(failing_routes=frozenset({"a/m"}))
    assert isinstance(step(K.BAD_ANSWER, NOBODY_ELSE, shut, claimed=job(calls=1, fault=K.BAD_ANSWER)), Retry)


def test_who_paid_twice_for_nothing_waits_long_while_nobody_is_answered():
    """The third call would cost as much, and others can tell whether the route is well again."""
    shut, again = Health(open_routes=frozenset({"a/m"})), job(calls=1, fault=K.BAD_ANSWER)
    alike = replace(NOBODY_ELSE, others_lately=3)
    for health in (WELL, shut):
        assert step(K.BAD_ANSWER, alike, health, uniform=lambda _low, high: high).delay <= GUARDED_CAP
        assert step(K.BAD_ANSWER, alike, health, claimed=again).delay == CAP / 2
        awaited = replace(again, lane="m.interactive")
        assert step(K.BAD_ANSWER, alike, health, claimed=awaited).delay == WAITED_FOR_LONGEST / 2


def test_who_paid_twice_where_others_are_answered_tries_again_soon():
    again = job(calls=1, fault=K.BAD_ANSWER)
    half = Health(degraded=frozenset({"a/m"}))
    assert step(K.BAD_ANSWER, OTHERS_SUCCEED, half, claimed=again, uniform=lambda _low, high: high).delay <= GUARDED_CAP


def test_who_paid_twice_for_nothing_takes_another_route_at_once():
    again, alike = job(calls=1, fault=K.BAD_ANSWER), replace(NOBODY_ELSE, others_lately=3)
    rerouted = step(K.BAD_ANSWER, alike, routes=(ROUTE, OTHER), claimed=again)
    assert rerouted == Reroute({"a/m": CAP / 2}, uses_attempt=False)


TOO_MUCH = Fault(K.INVALID_REQUEST, "the range is [1, 8192]", 400, output_ceiling=8192)


def test_a_maximum_over_the_ceiling_is_another_route_s_matter_first():
    assert step(None, NOBODY_ELSE, routes=(ROUTE, OTHER), fault=TOO_MUCH) == Reroute({"a/m": None}, uses_attempt=True)


def test_where_there_is_no_other_route_the_maximum_gives_way_once():
    lowered = step(None, OTHERS_SUCCEED, fault=TOO_MUCH)
    assert lowered == Retry(1.0, uses_attempt=True, avoid={}, output_ceiling=8192)
    again = step(None, OTHERS_SUCCEED, fault=TOO_MUCH, claimed=job(attempts=1, output_ceiling=8192))
    assert isinstance(again, Bury)


def longest(comparison, health=WELL, lane="m.batch"):
    """The longest wait that can be drawn for a job which has failed many times."""
    claimed = replace(job(tries=30), lane=lane)
    return step(K.SERVER_ERROR, comparison, health, claimed=claimed, uniform=lambda _low, high: high).delay


def failing_alone_for(seconds):
    return Comparison("main", failing_since=NOW - seconds)


@pytest.mark.parametrize("seconds", [100.0, 400.0])
def test_the_waits_of_a_job_that_fails_alone_are_a_share_of_how_long_it_has_failed(seconds):
    assert longest(failing_alone_for(seconds)) == ALONE_SHARE * seconds
    assert longest(failing_alone_for(20.0)) == longest(OTHERS_SUCCEED) == 10.0
    assert longest(failing_alone_for(86_400.0)) == CAP


def test_one_that_somebody_waits_for_asks_more_seldom_too_when_it_fails_alone_for_long():
    waited_for = {"lane": "m.interactive"}
    assert longest(failing_alone_for(5.0), **waited_for) == longest(OTHERS_SUCCEED, **waited_for) == WAITED_FOR_CAP
    assert longest(failing_alone_for(40.0), **waited_for) == ALONE_SHARE * 40.0
    assert longest(failing_alone_for(86_400.0), **waited_for) == WAITED_FOR_LONGEST


def test_a_job_is_not_kept_waiting_by_its_own_backoff_once_a_breaker_paces_its_only_route():
    shut = Health(open_routes=frozenset({"a/m"}), failing_routes=frozenset({"a/m"}))
    assert longest(NOBODY_ELSE, shut) == SHUT_CAP


def test_the_first_failures_of_a_job_are_told_to_the_breakers_whoever_succeeds():
    fault = Fault(K.SERVER_ERROR)
    told = [not is_its_own(fault, tries, "a/m", OTHERS_SUCCEED, WELL) for tries in range(4)]
    assert told == [True] * OFTEN + [False] * (4 - OFTEN)
    assert not is_its_own(fault, 50, "a/m", OTHERS_FAIL, WELL)


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_that_a_later_call_contradicts_is_told_to_nobody(kind):
    beside = Comparison("main", 900.0, reply_sent=899.0, reply_came=900.5)
    assert is_its_own(Fault(kind), 0, "a/m", OTHERS_SUCCEED, WELL)
    assert not is_its_own(Fault(kind), 0, "a/m", beside, WELL)


def test_a_request_that_is_called_wrong_twice_is_one_of_many_and_not_two():
    wrong, failing = Fault(K.INVALID_REQUEST), Health(failing_routes=frozenset({"a/m"}))
    assert not is_its_own(wrong, 0, "a/m", OTHERS_FAIL, WELL)
    assert is_its_own(wrong, 1, "a/m", OTHERS_FAIL, WELL, before=K.INVALID_REQUEST)
    assert not is_its_own(wrong, 1, "a/m", OTHERS_FAIL, WELL, before=K.SERVER_ERROR)
    assert not is_its_own(wrong, 1, "a/m", OTHERS_FAIL, failing, before=K.INVALID_REQUEST)
