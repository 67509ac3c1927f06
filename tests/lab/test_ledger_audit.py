"""The audit finds what each of three ledgers alone would not tell."""

from dataclasses import replace
from typing import Any

from holdfast.lab.ledger_audit import KnownLimit, Ledgers, compare, tag_of
from holdfast.lab.providers.calls import SeenCall
from holdfast.model.ids import new_id
from holdfast.model.job import Outcome, State
from holdfast.model.records import AttemptRecord, ResultRecord
from holdfast.model.reply import Usage

JOB = new_id()


def attempt(number: int = 1, **fields: Any) -> AttemptRecord:
    usual = {
        "job": JOB,
        "generation": 1,
        "number": number,
        "route": "p/m",
        "credential": "main",
        "fence": number,
        "worker": "w",
        "started_at": 10.0,
        "ended_at": 10.5,
        "outcome": Outcome.SUCCEEDED,
        "fault": None,
        "status": None,
        "code": None,
        "message": None,
        "provider_request_id": None,
        "usage": Usage(input=3, output=4),
        "cost_micros": 0,
    }
    return AttemptRecord(**usual | fields)


def call(of: AttemptRecord, started: float = 10.1, **fields: Any) -> SeenCall:
    usual = {"ended": started + 0.3, "status": "200", "input_tokens": 3, "output_tokens": 4}
    return SeenCall(started=started, path="/", tag=tag_of(of), **usual | fields)


def end(fence: int, at: float) -> ResultRecord:
    unknown: dict[str, Any] = dict.fromkeys(("reply", "fault", "code", "message", "route", "usage"))
    succeeded = State.SUCCEEDED
    return ResultRecord(JOB, 1, fence, succeeded, **unknown, cost_micros=0, attempts=1, mapping=(), created_at=at)


def books(attempts: list[AttemptRecord], calls: list[SeenCall], fence: int = 1, **fields: Any) -> Ledgers:
    ended = {(JOB, 1): end(fence, 10.5)}
    return replace(
        Ledgers([JOB], [JOB], {tag_of(each): each for each in attempts}, ended, {"p": calls}, {}, 0), **fields
    )


def broken(found: Ledgers) -> set[str]:
    return {line.name for line in compare(found) if not line.holds}


def test_a_job_that_was_called_once_and_recorded_breaks_nothing() -> None:
    assert broken(books([attempt()], [call(attempt())])) == set()


def test_a_job_that_a_client_was_told_of_and_sql_does_not_have_is_lost() -> None:
    assert broken(books([], [], accepted=[JOB, new_id()])) == {"I1 told"}


def test_a_repeated_call_counts_against_what_may_repeat() -> None:
    lost, again = attempt(outcome=Outcome.UNKNOWN, usage=None), attempt(2, started_at=10.45)
    found = books([lost, again], [call(lost), call(again, 10.48)], fence=2)
    assert broken(found) == {"I3"}
    assert broken(replace(found, may_repeat=1)) == set()


def test_a_call_after_the_recorded_one_is_wrong_however_much_may_repeat() -> None:
    again = attempt(2, started_at=10.45, outcome=Outcome.UNKNOWN, usage=None)
    found = books([attempt(), again], [call(attempt()), call(again, 10.48)], may_repeat=9)
    assert broken(found) == {"I3"}


def test_a_second_call_under_the_same_fence_is_a_hedge_and_no_repetition() -> None:
    hedge = attempt(2, fence=1, started_at=10.38, outcome=Outcome.UNKNOWN, usage=None)
    found = books([attempt(), hedge], [call(attempt()), call(hedge, 10.41)])
    assert broken(found) == set()
    [repeats] = [line for line in compare(found) if line.name == "I3"]
    assert (repeats.figures["hedged"], repeats.figures["repeated"]) == (1, 0)


def test_an_earlier_call_that_was_long_on_its_way_repeats_nothing() -> None:
    late = attempt(outcome=Outcome.UNKNOWN, usage=None)
    found = books([late, attempt(2)], [call(late, 10.45, status="abandoned"), call(attempt(2))], fence=2)
    assert broken(found) == set()


def test_a_hedge_that_is_sent_long_after_its_job_was_answered_is_wrong() -> None:
    hedge = attempt(2, fence=1, started_at=11.4, outcome=Outcome.UNKNOWN, usage=None)
    assert broken(books([attempt(), hedge], [call(attempt()), call(hedge, 11.45)], may_repeat=9)) == {"I3"}


def test_a_call_long_after_the_end_of_its_job_is_late() -> None:
    assert broken(books([attempt()], [call(attempt(), 11.6)])) == {"I4"}


def test_a_call_under_an_old_fence_is_late() -> None:
    old, new = attempt(outcome=Outcome.UNKNOWN, usage=None), attempt(2, started_at=20.0)
    found = books([old, new], [call(old, 21.5, status="reset"), call(new, 20.1)], fence=2)
    late = replace(found, ended={(JOB, 1): end(2, 25.0)}, may_repeat=1)
    assert broken(late) == {"I3", "I4"}


def test_a_request_without_a_row_and_a_row_that_claims_an_answer_nobody_gave_are_found() -> None:
    assert broken(books([], [call(attempt())])) == {"I5 seen"}
    assert broken(books([attempt()], [])) == {"I5 seen"}
    assert broken(books([attempt(outcome=Outcome.UNKNOWN)], [])) == set()


def test_a_row_written_after_its_request_is_found() -> None:
    assert broken(books([attempt(started_at=10.2)], [call(attempt(), 10.1)])) == {"I5 seen"}


def test_a_window_that_is_too_full_is_found() -> None:
    rows = [replace(attempt(), job=new_id()) for _ in range(30)]
    calls = [call(row, 10.0 + n / 100) for n, row in enumerate(rows)]
    found = books(rows, calls, allowances={"p": KnownLimit(10, 15)})
    assert broken(found) == {"I6"}
    assert broken(replace(found, allowances={"p": KnownLimit(10, 20)})) == set()


def test_other_tokens_than_the_provider_counted_are_found() -> None:
    assert broken(books([attempt()], [call(attempt(), output_tokens=5)])) == {"I7 seen"}
