"""Many different jobs called wrong at once: it is the route, and none of them is buried for it."""

from dataclasses import replace

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import OnRefusal, Request, Strictness
from holdfast.model.route import Api, Plan, Route
from holdfast.model.step import Bury, Complete, Reroute, Retry
from holdfast.policy.breaker import record
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_rules import Rules
from holdfast.policy.breaker_state import Breaker, HalfOpen, Open
from holdfast.policy.error_burst import is_error_burst, note_client_error
from holdfast.policy.health import Health
from holdfast.policy.retry import next_step
from holdfast.policy.signals import Observation, Signal

A = Route("a", "m", Api.ANTHROPIC, "m", ("main",))
B = Route("b", "m", Api.OPENAI_CHAT, "m", ("main",))
WRONG = Fault(FaultKind.INVALID_REQUEST, "400", 400)
MAPPED = Fault(FaultKind.INVALID_REQUEST, "400", 400, mapped=True)
REFUSED = Reply(text="", finish=Finish.REFUSED, usage=Usage(), model="m")


def least(low: float, _high: float) -> float:
    return low


def step(outcome, *routes, shut=(), avoid=None, last=None, **fields):
    request, calls = Request(turns=(), **fields), 0
    job = Claimed("0" * 32, "m.batch", "m", 1, 1, 1, 0, calls, 0, Need(1, 1, avoid or {}), request, None, fault=last)
    return next_step(job, A, Plan("m", routes), outcome, Health(frozenset(shut)), 1000.0, least)


# ---- the window of one process


def window_of(*jobs, gap=1.0):
    window = ()
    for index, (job, wrong) in enumerate(jobs):
        window = note_client_error(window, index * gap, job, wrong=wrong)
    return window


def test_ten_different_jobs_called_wrong_are_a_storm_and_nine_are_not():
    assert not is_error_burst(window_of(*((str(n), True) for n in range(9))), 10)
    assert is_error_burst(window_of(*((str(n), True) for n in range(10))), 10)


def test_the_same_job_called_wrong_again_and_again_is_no_storm():
    assert not is_error_burst(window_of(*(("same", True) for _ in range(20))), 20)


def test_a_few_wrong_jobs_among_right_ones_are_no_storm():
    assert not is_error_burst(window_of(*((str(n), n % 3 == 0) for n in range(30))), 30)
    assert is_error_burst(window_of(*((str(n), n % 2 == 0) for n in range(30))), 30)


def test_a_storm_is_over_after_a_minute():
    window = window_of(*((str(n), True) for n in range(10)))
    assert not is_error_burst(window, 75)


def test_where_nothing_is_wrong_nothing_is_remembered():
    assert window_of(*((str(n), False) for n in range(10))) == ()
    assert note_client_error(window_of(("a", True)), 100, "b", wrong=False) == ()


# ---- the fleet's breaker


def told(breaker, *signals, at=0.0, gap=1.0):
    for index, signal in enumerate(signals):
        breaker = record(breaker, Observation(at + index * gap, breaker.epoch, signal), Rules(), least)
    return breaker


def test_a_storm_parks_the_route():
    assert not isinstance(told(Breaker(), *[Signal.CLIENT_ERROR] * 9).state, Open)
    parked = told(Breaker(), *[Signal.CLIENT_ERROR] * 10).state
    assert isinstance(parked, Open)
    assert parked.cool_off == Rules().wrong_base


def test_doubts_among_as_many_good_answers_park_and_among_more_do_not():
    assert isinstance(told(Breaker(), *[Signal.OK, Signal.CLIENT_ERROR] * 7).state, Open)
    assert not isinstance(told(Breaker(), *[Signal.CLIENT_ERROR, Signal.OK, Signal.OK] * 20).state, Open)


def test_doubts_spread_over_minutes_do_not_park():
    assert not isinstance(told(Breaker(), *[Signal.CLIENT_ERROR] * 30, gap=10.0).state, Open)


def test_a_doubt_neither_ends_a_row_of_faults_nor_adds_to_it():
    assert not isinstance(told(Breaker(), *[Signal.FAULT] * 4, Signal.CLIENT_ERROR).state, Open)
    assert isinstance(told(Breaker(), *[Signal.FAULT] * 4, Signal.CLIENT_ERROR, Signal.FAULT).state, Open)


def test_a_wrong_job_as_the_probe_of_an_outage_frees_the_place_and_says_nothing():
    half = Breaker(HalfOpen(until=100.0, cool_off=1.0), epoch=2)
    after = record(half, Observation(50.0, 2, Signal.CLIENT_ERROR), Rules(), least)
    assert after.state == HalfOpen(until=50.0, cool_off=1.0)


def test_a_wrong_job_as_the_probe_of_a_storm_keeps_the_route_parked():
    half = Breaker(HalfOpen(until=100.0, cool_off=30.0, wrong=0), epoch=2)
    assert isinstance(record(half, Observation(50.0, 2, Signal.CLIENT_ERROR), Rules(), least).state, Open)


def test_a_breaker_with_doubts_survives_its_hash():
    breaker = told(Breaker(), Signal.CLIENT_ERROR, Signal.OK, Signal.FAULT)
    assert parse(dump(breaker)) == breaker


# ---- the jobs


def test_what_no_route_takes_is_buried_at_once():
    assert isinstance(step(replace(WRONG, wrong_everywhere=True), A, B), Bury)


def test_a_wrong_request_is_tried_once_elsewhere_or_once_more_before_it_is_buried():
    assert step(WRONG, A, B) == Reroute({"a/m": None}, uses_attempt=True)
    assert step(WRONG, A) == Retry(1.0, uses_attempt=False, avoid={})
    assert isinstance(step(WRONG, A, last=FaultKind.INVALID_REQUEST), Bury)


def test_in_a_storm_no_job_is_buried():
    assert isinstance(step(WRONG, A, B, shut={"a/m"}), Reroute)
    assert isinstance(step(WRONG, A, shut={"a/m"}), Retry)


def test_a_request_that_our_mapping_changed_goes_elsewhere_first_and_is_then_buried():
    assert step(MAPPED, A, B) == Reroute({"a/m": None}, uses_attempt=True)
    last = step(MAPPED, A, B, avoid={"b/m": None}, last=FaultKind.INVALID_REQUEST)
    assert isinstance(last, Bury)
    assert last.reason.kind is FaultKind.INVALID_REQUEST


# ---- another opinion


def test_a_refusal_is_the_result_unless_the_job_asks_for_another_opinion():
    assert step(REFUSED, A, B) == Complete()
    assert step(REFUSED, A, B, on_refusal=OnRefusal.REROUTE) == Reroute({"a/m": None}, uses_attempt=False)


def test_a_refusal_is_the_result_where_nobody_else_can_be_asked_now():
    asks = {"on_refusal": OnRefusal.REROUTE}
    assert step(REFUSED, A, **asks) == Complete()
    assert step(REFUSED, A, B, shut={"b/m"}, **asks) == Complete()
    assert step(REFUSED, A, B, avoid={"b/m": None}, **asks) == Complete()
    assert step(REFUSED, A, B, strictness=Strictness.NEVER, **asks) == Complete()
