"""A dead letter tells what each route said, not only the last one."""

from holdfast.model.fault import FaultKind
from holdfast.model.job import DeathReason, Outcome
from holdfast.model.records import AttemptRecord
from holdfast.policy.story import TOLD, with_story

REASON = DeathReason(FaultKind.TOO_LONG, "no route of its plan can take it; c/m did not take it", 413)


def attempt(number, route, fault, message=None, *, status=None, generation=1):
    call = (fault, status, None, message, None, None, 0)
    return AttemptRecord("j", generation, number, route, "main", number, "w", 0.0, 1.0, Outcome.FAILED, *call)


def told(*attempts, reason=REASON):
    return with_story(reason, 1, attempts).message


def test_each_route_s_last_words_stand_in_the_order_of_their_first_calls():
    message = told(
        attempt(2, "b/m", FaultKind.SERVER_ERROR, "away", status=503),
        attempt(1, "a/m", FaultKind.INVALID_REQUEST, "no tools here", status=400),
        attempt(3, "b/m", FaultKind.SERVER_ERROR, "still away", status=503),
    )
    assert message == (
        "no route of its plan can take it; c/m did not take it. Before that: "
        "a/m: invalid request (HTTP 400): no tools here; "
        "b/m: server error (HTTP 503), the last of 2 calls: still away"
    )


def test_calls_of_an_earlier_generation_and_those_that_still_run_are_left_out():
    assert told(attempt(1, "a/m", FaultKind.AUTH, generation=2), attempt(2, "a/m", None)) == REASON.message


def test_an_expired_job_says_why_it_waited_and_no_more():
    expired = DeathReason(FaultKind.EXPIRED, "its deadline passed")
    assert told(attempt(1, "a/m", FaultKind.AUTH, "no"), reason=expired) == expired.message


def test_a_long_message_is_cut():
    assert told(attempt(1, "a/m", FaultKind.AUTH, "x" * 5_000)).count("x") <= TOLD + 10


def test_a_sentence_ends_with_one_full_stop():
    reason = DeathReason(FaultKind.TOO_LONG, "the maximum is 200000 tokens.", 400)
    assert told(attempt(1, "a/m", FaultKind.AUTH, "no."), reason=reason) == (
        "the maximum is 200000 tokens. Before that: a/m: key refused: no."
    )
