"""One job's refusals shut nothing; those of different jobs between which nobody succeeded do, at once."""

from holdfast.policy.breaker import admit, place_among_probers, record
from holdfast.policy.breaker_rules import NO_ALTERNATIVE, Rules
from holdfast.policy.breaker_state import Breaker, Closed, HalfOpen, Open
from holdfast.policy.signals import Observation, ScopeKind, Signal

RULES = Rules()


def least(low, _high):
    return low


def told(breaker, *observed, rules=RULES):
    """``observed``: signal, job, and seconds; a success was sent a second before."""
    for signal, job, at, *replied in observed:
        sent = at - 1.0 if signal is Signal.OK else at
        known = replied[0] if replied else None
        observation = Observation(at, breaker.epoch, signal, job=job, sent=sent, replied=known)
        breaker = record(breaker, observation, rules, least)
    return breaker


SUSPECT, FAULT, OK, NONE = Signal.SUSPECT, Signal.FAULT, Signal.OK, Signal.NONE


def test_one_job_shuts_nothing_however_often_it_is_refused():
    assert isinstance(told(Breaker(), *[(SUSPECT, "a", float(n)) for n in range(50)]).state, Closed)


def test_two_different_jobs_shut_it_at_once_and_its_first_probe_is_soon():
    opened = told(Breaker(), (SUSPECT, "a", 1.0), (SUSPECT, "b", 1.1))
    assert isinstance(opened.state, Open)
    assert opened.state.until - 1.1 <= RULES.base


def test_a_success_between_them_clears_the_first():
    between = told(Breaker(), (SUSPECT, "a", 1.0), (OK, "", 2.5), (SUSPECT, "b", 3.0))
    assert isinstance(between.state, Closed)
    assert isinstance(told(between, (SUSPECT, "c", 3.1)).state, Open)


def test_a_success_that_was_sent_before_the_refusal_clears_nothing():
    assert isinstance(told(Breaker(), (SUSPECT, "a", 1.0), (OK, "", 1.5), (SUSPECT, "b", 2.0)).state, Open)


def test_a_success_that_another_process_saw_clears_as_well():
    assert isinstance(told(Breaker(), (SUSPECT, "a", 1.0), (SUSPECT, "b", 3.0, 2.0)).state, Closed)


def test_what_is_older_than_the_window_is_forgotten():
    late = 1.0 + RULES.window_seconds
    assert isinstance(told(Breaker(), (SUSPECT, "a", 1.0), (SUSPECT, "b", late)).state, Closed)


def test_faults_of_one_job_open_nothing_and_one_of_another_does():
    for rules in (RULES, NO_ALTERNATIVE[ScopeKind.ROUTE]):
        alone = told(Breaker(), *[(FAULT, "a", n / 10) for n in range(60)], rules=rules)
        assert isinstance(alone.state, Closed)
        assert isinstance(told(alone, (FAULT, "b", 6.0), rules=rules).state, Open)


def test_the_job_whose_probe_failed_is_remembered_until_the_outage_is_over():
    probing, _ = admit(told(Breaker(), (SUSPECT, "a", 1.0), (SUSPECT, "b", 1.1)), 9.0, RULES)
    again = told(probing, (SUSPECT, "a", 9.5))
    assert isinstance(again.state, Open)
    assert [place_among_probers(again, job) for job in "abc"] == [0, -1, -1]
    probing, _ = admit(again, 60.0, RULES)
    assert isinstance(probing.state, HalfOpen)
    assert place_among_probers(probing, "a") == 0
    assert place_among_probers(told(probing, (OK, "", 61.0)), "a") == -1


def test_a_probe_that_says_nothing_makes_room_for_another_job():
    probing, _ = admit(told(Breaker(), (SUSPECT, "a", 1.0), (SUSPECT, "b", 1.1)), 9.0, RULES)
    freed = told(probing, (NONE, "a", 9.5))
    assert freed.state == HalfOpen(9.5, 1.0, 9.0, ("a",))
