"""The log of calls answers what a bench or a ledger asks of it."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.lab.providers.calls import SeenCall, count, most_in_flight, most_per_second, timeline


def call(started: float, ended: float | None = None, status: str | None = "200", tag: str = "") -> SeenCall:
    executed = status in {"200", "reset-after"}
    return SeenCall(started, "/v1/messages", tag, ended=ended, status=status, executed=executed, output_tokens=3)


def test_calls_are_counted_by_how_they_ended() -> None:
    log = [call(0, 1), call(0, 1, "503"), call(0, 2, "503"), call(0, None, None)]
    counts = count(log)
    assert counts["calls"] == 4
    assert counts["by_status"] == {"200": 1, "503": 2}
    assert counts["in_flight"] == 1
    assert (counts["first_at"], counts["last_at"]) == (0, 2)


def test_an_empty_log_has_counts_too() -> None:
    assert count([])["first_at"] is None
    assert timeline([])["points"] == []


def test_usage_that_never_reached_the_caller_is_told_apart() -> None:
    counts = count([call(0, 1), call(0, 1, "reset-after")])
    assert counts["usage"]["output"] == 3
    assert counts["usage_undelivered"]["output"] == 3


def test_a_job_called_again_after_success_is_found() -> None:
    log = [call(0, 1, "503", "job_a/1/1"), call(2, 3, "200", "job_a/1/2"), call(4, 5, "200", "job_a/1/3")]
    counts = count(log)
    assert counts["jobs_called_again"] == 1
    assert counts["calls_after_completed"] == 1
    assert counts["executed_again"] == 1
    assert counts["most_calls_of_a_job"] == 3


def test_a_call_begun_before_the_first_success_is_a_repetition_but_not_one_after_completion() -> None:
    counts = count([call(0, 5, "200", "job_a/1/1"), call(2, 6, "200", "job_a/1/2")])
    assert (counts["executed_again"], counts["calls_after_completed"]) == (1, 0)


def test_another_generation_of_a_job_is_another_piece_of_work() -> None:
    counts = count([call(0, 1, "200", "job_a/1/1"), call(2, 3, "200", "job_a/2/1")])
    assert (counts["jobs"], counts["calls_after_completed"]) == (2, 0)


def test_one_tag_seen_twice_is_a_repeated_tag() -> None:
    assert count([call(0, 1, tag="job_a/1/1"), call(2, 3, tag="job_a/1/1")])["repeated_tags"] == 1


def test_untagged_calls_are_counted_apart() -> None:
    counts = count([call(0, 1)])
    assert (counts["untagged"], counts["jobs"]) == (1, 0)


def test_a_call_that_starts_when_another_ends_does_not_run_beside_it() -> None:
    assert most_in_flight([call(0, 1), call(1, 2)]) == 1
    assert most_in_flight([call(0, 2), call(1, 3), call(1.5, None)]) == 3


@given(st.lists(st.integers(0, 80).map(lambda eighths: eighths / 8), max_size=60))
def test_the_busiest_second_is_found(times: list[float]) -> None:
    """Eighths of a second are exact in binary: no border moves by rounding."""
    times.sort()
    windows = [sum(begin <= other < begin + 1.0 for other in times) for begin in times]
    assert most_per_second(times) == max(windows, default=0)


def test_the_timeline_counts_ends_by_status_for_each_tenth_of_a_second() -> None:
    points = timeline([call(100.0, 100.05), call(100.0, 100.06, "503"), call(100.0, 100.31)])
    assert points == {"start": 100.0, "step": 0.1, "points": [[0, {"200": 1, "503": 1}], [3, {"200": 1}]]}
