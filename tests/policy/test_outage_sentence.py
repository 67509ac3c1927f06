"""An outage is told in one sentence: who, since when, with which answer, what is next, who waits, what to do."""

from holdfast.policy.outage_sentence import FaultCount, Outage, outage_sentence

SINCE = 1_790_000_000.0
REFUSED = [FaultCount("server_error", 503, 21)]


def test_an_outage_that_mends_itself_asks_nothing_of_anybody() -> None:
    assert outage_sentence(Outage("a/m", SINCE, 3.0, REFUSED, waiting=397)) == (
        "a/m is down since 14:13 UTC (HTTP 503, 21 calls); asked again in 3 s; 397 jobs wait safely; nothing to do"
    )


def test_where_another_route_takes_the_jobs_none_is_said_to_wait() -> None:
    told = outage_sentence(Outage("a/m", SINCE, 0.0, REFUSED, elsewhere=["b/n"]))
    assert "being asked now; its jobs go to b/n" in told


def test_what_does_not_mend_itself_says_what_is_to_be_done() -> None:
    told = outage_sentence(Outage("a/m", SINCE, 60.0, [FaultCount("auth", 401, 1)], waiting=1))
    assert "(HTTP 401, 1 call)" in told
    assert "1 job waits safely" in told
    assert "put a new one in its place" in told


def test_a_fault_without_a_status_is_named() -> None:
    assert "(no answer in time, 5 calls)" in outage_sentence(
        Outage("a/m", None, 1.0, [FaultCount("timed_out", None, 5)])
    )


def test_an_operators_stop_is_told_as_one() -> None:
    assert outage_sentence(Outage("a/m", SINCE, None, waiting=None)) == (
        "a/m is down since 14:13 UTC; an operator stopped it; its jobs wait safely; nothing to do"
    )


def test_a_kind_of_a_newer_version_is_no_error() -> None:
    assert "(HTTP 599, 2 calls)" in outage_sentence(Outage("a/m", None, 1.0, [FaultCount("of_tomorrow", 599, 2)]))


def test_an_outage_whose_answer_changes_tells_the_newest_first_and_what_that_asks_for() -> None:
    faults = [FaultCount("auth", 401, 13), FaultCount("server_error", 503, 20), FaultCount("overloaded", 503, 7)]
    told = outage_sentence(Outage("a/m", SINCE, 3.0, faults, waiting=2))
    assert "(HTTP 401 in 13, before HTTP 503 in 27 calls)" in told
    assert "put a new one in its place" in told
