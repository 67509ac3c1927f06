"""Answers of which not even the quickest is quick any more are the sign of a queue; some slow ones are not."""

from math import inf

import pytest

from holdfast.policy.latency_sign import FEWEST, NO_ANSWERS, NO_SIGN, Answers, LatencySign, dump, fold, parse


def windows(*quickest: float, answers: int = 100) -> LatencySign:
    """Windows of a second, each with so many answers."""
    sign = NO_SIGN
    for nth, seconds in enumerate(quickest, start=1):
        sign = fold(sign, Answers(answers, seconds, (nth - 1) * 1_000.0), nth * 1_000.0)
    return sign


def test_what_is_quick_at_first_is_normal() -> None:
    assert windows(0.2).normal == 0.2
    assert windows(0.2, 0.1).normal == 0.1
    assert windows(0.2, 0.3, 0.3).most_per_ms == 0.0


def test_a_window_without_a_quick_answer_says_that_little_more_than_its_rate_is_worth_sending() -> None:
    assert windows(0.2, 0.5).most_per_ms == pytest.approx(1.1 * 0.1)
    assert windows(0.2, 0.5, 0.2).most_per_ms == 0.0


def test_where_answers_take_another_doubling_no_more_is_sent_than_comes_back() -> None:
    assert windows(0.2, 0.9).most_per_ms == pytest.approx(0.1)


def test_what_a_busy_process_needs_itself_is_no_sign_of_the_server() -> None:
    busy = NO_ANSWERS.plus(100, 0.5, 1_000.0, round_trip=0.2)
    assert fold(windows(0.2), busy, 2_000.0) == windows(0.2, 0.2)
    idle = NO_ANSWERS.plus(100, 0.5, 1_000.0, round_trip=0.001)
    assert fold(windows(0.2), idle, 2_000.0).most_per_ms == pytest.approx(1.1 * 0.1)


def test_a_busy_process_does_not_make_answers_quicker_than_is_normal() -> None:
    assert fold(windows(0.2), NO_ANSWERS.plus(100, 0.21, 1_000.0, round_trip=0.2), 2_000.0).normal == 0.2


def test_a_wait_of_a_few_milliseconds_is_no_queue() -> None:
    assert windows(0.001, 0.04).most_per_ms == 0.0
    assert windows(0.001, 0.06).most_per_ms > 0.0


def test_slow_answers_become_normal_in_some_minutes() -> None:
    assert windows(0.2, *[0.5] * 300).most_per_ms == 0.0


def test_answers_are_told_when_they_are_many_enough_and_old_enough() -> None:
    few = NO_ANSWERS.plus(FEWEST - 1, 0.3, 1_000.0)
    assert not few.are_due(2_000.0)
    enough = few.plus(1, 0.2, 1_010.0)
    assert enough == Answers(FEWEST, 0.2, 1_000.0)
    assert not enough.are_due(1_050.0)
    assert enough.are_due(1_100.0)


def test_windows_of_several_processes_are_one() -> None:
    first = fold(windows(0.2), Answers(20, 0.5, 1_000.0), 1_100.0)
    both = fold(first, Answers(30, 0.6, 1_000.0), 1_500.0)
    assert both.most_per_ms == pytest.approx(1.1 * 50 / 500)


@pytest.mark.parametrize("sign", [NO_SIGN, LatencySign(0.25, 1e12, 3, inf, 0.0), windows(0.2, 0.9)])
def test_it_survives_the_hash(sign: LatencySign) -> None:
    assert parse(dump(sign)) == sign
