"""What is wrong now and what people were told of are one list: what lasts first, each trouble once."""

from holdfast.client.alerts import alert_lines
from holdfast.model.alert import AlertCondition, AlertKind, AlertRecord

DOWN = AlertCondition(AlertKind.OUTAGE, "a", "a is down, 9 calls", 120.0)


def told(about: str, ended_at: float | None = None) -> AlertRecord:
    return AlertRecord("1", "outage", about, f"{about} is down", 100.0, 110.0, ended_at)


def test_what_lasts_stands_once_with_the_sentence_of_now_and_the_beginning_that_was_told() -> None:
    [line] = alert_lines([DOWN], [told("a")])
    assert (line.sentence, line.since, line.lasts) == ("a is down, 9 calls", 100.0, True)


def test_a_trouble_that_nobody_was_told_of_yet_is_shown_too() -> None:
    [line] = alert_lines([DOWN], [])
    assert (line.kind, line.about, line.since, line.lasts) == ("outage", "a", 120.0, True)


def test_what_was_told_lasts_until_it_was_told_to_be_over_and_then_stands_below() -> None:
    lines = alert_lines([DOWN], [told("c", 130.0), told("b")])
    assert [(line.about, line.lasts) for line in lines] == [("a", True), ("b", True), ("c", False)]
    assert [line.seen for line in lines[:2]] == [True, False], "b is no longer there, and not over yet"
    assert lines[2].ended_at == 130.0


def test_a_trouble_that_came_again_is_over_and_lasts() -> None:
    lines = alert_lines([DOWN], [told("a"), told("a", 90.0)])
    assert [line.lasts for line in lines] == [True, False]
