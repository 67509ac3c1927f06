"""The picture of a drill: what was wrong when, who waited, who answered, and what the breakers did."""

import xml.etree.ElementTree as ET

import pytest

from holdfast.lab.drill.picture import bands_of, clock, picture, what_is_wrong
from holdfast.lab.drill.result import DrillResult
from holdfast.lab.report_writer import page
from holdfast.lab.simulation.run import run_virtual
from lab.simulation.scenes import scenario

SVG = "{http://www.w3.org/2000/svg}"
SCRIPT = [(0, [(1.0, "ok", (1, 4))]), (300, [(0.6, "e401"), (0.1, "hang")]), (600, [(0.4, "ok", (31, 36))]), (900, [])]
OUTAGE = scenario(SCRIPT, seconds=1_800, name="waves", second=[(400, [(1.0, "e503")]), (500, [])])


@pytest.fixture(scope="module")
def report():
    return run_virtual(OUTAGE, 1)


def texts(drawn: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(drawn).iter(SVG + "text")]


def test_what_was_wrong_is_named_where_it_was():
    assert bands_of(OUTAGE.phases, OUTAGE.seconds) == [
        (300, 600, "60 % 401, 10 % hang"),
        (600, 900, "40 % slow"),
    ]


def test_an_outage_without_an_end_ends_with_its_scenario():
    assert bands_of(scenario([(60, [(1.0, "reset")])], seconds=100).phases, 100.0) == [(60, 100, "100 % reset")]


def test_a_part_that_never_happens_is_not_named():
    assert what_is_wrong(scenario([(0, [(0.5, "e500"), (0.0, "hang")])], seconds=60).phases[0]) == "50 % 500"


def test_both_providers_the_breakers_that_moved_and_the_hours_are_drawn(report):
    words = texts(picture(OUTAGE, report))
    assert "waves" in words
    assert "60 % 401, 10 % hang" in words
    assert {"first  calls a second", "second  calls a second"} <= set(words)
    assert "credential first/main" in words
    assert "0:10 h" in words


def test_every_kind_of_answer_has_a_bar_of_its_own(report):
    styles = {rect.get("class") for rect in ET.fromstring(picture(OUTAGE, report)).iter(SVG + "rect")}
    assert {"served", "login", "cut", "failed", "outage", "open", "closed"} <= styles
    assert "limited" not in styles  # no call was refused for its rate


def test_a_ramp_that_is_over_is_drawn_as_closed(report):
    titles = [title.text for title in ET.fromstring(picture(OUTAGE, report)).iter(SVG + "title")]
    route = [title for title in titles if title.startswith("first/model:")]
    assert ": closed from" in route[-1]


def test_the_picture_tells_itself_in_words(report):
    said = ET.fromstring(picture(OUTAGE, report)).find(SVG + "desc").text
    assert "From 0:05 h to 0:10 h the first provider: 60 % 401, 10 % hang." in said
    assert f"{report.figures.accepted:,} jobs" in said


@pytest.mark.parametrize(("seconds", "whole", "shown"), [(5, 10, "5 s"), (5_400, 20_000, "1:30 h")])
def test_short_drills_count_seconds_and_long_ones_hours(seconds, whole, shown):
    assert clock(seconds, whole) == shown


def test_the_page_escapes_what_a_file_says(report):
    said = page(OUTAGE.model_copy(update={"about": "<b>bold</b>"}), DrillResult([report]), report)
    assert "<b>bold" not in said
    assert "&lt;b&gt;bold" in said
