"""A run's report tells the ledger equation, the turns of the run and what had to hold, in words and as a picture."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drawing.svg import CLOCK, Scale, round_step, round_top
from holdfast.lab.report.run_page import equation, events, markdown, page
from holdfast.lab.report.run_picture import describe, picture
from holdfast.lab.report.run_record import BreakerMove, Check, NamedSpan, ProviderLog, RunRecord, Sample, turns

SVG = "{http://www.w3.org/2000/svg}"

RUN = RunRecord(
    title="Outage & detour",
    lead="100 jobs <ran>.",
    seconds=20,
    samples=[Sample(at, done=5 * at, in_flight=min(4, 100 - 5 * at), waiting=max(0, 96 - 5 * at)) for at in range(21)],
    providers=[ProviderLog("Anthropic", [(0.1, "200", 60), (5.0, "503", 3)]), ProviderLog("OpenAI", [])],
    moves=[BreakerMove(5.1, "anthropic/claude", "open"), BreakerMove(11.0, "anthropic/claude", "closed")],
    phases=[NamedSpan("Anthropic answers 503", 5, 10)],
    accepted=100,
    ended={"succeeded": 98, "dead": 2},
    live=0,
    checks=[Check("no job is lost", holds=True, figures={"lost_jobs": 0}), Check("pipes | too", holds=False)],
    files={"output.jsonl": "the answers"},
)


def elements(run: RunRecord, name: str, **attributes: str) -> list[ET.Element]:
    found = ET.fromstring(picture(run)).iter(SVG + name)
    return [one for one in found if all(one.get(key) == value for key, value in attributes.items())]


def test_the_equation_names_every_ending_and_shows_when_it_does_not_balance() -> None:
    assert equation(RUN) == "100 accepted = 98 succeeded + 2 dead + 0 cancelled + 0 expired + 0 live"
    assert "≠" in equation(replace(RUN, live=3))


def test_the_turns_of_the_run_are_told_in_order() -> None:
    assert [at for at, _ in events(RUN)] == ["0.0 s", "5.0 s", "5.1 s", "10.0 s", "11.0 s", "20.0 s"]


def test_probes_that_fail_are_drawn_but_not_told() -> None:
    states = ["open", "half_open", "open", "half_open", "ramping", "closed"]
    moves = [BreakerMove(at, "anthropic/claude", state) for at, state in enumerate(states)]
    assert [move.state for move in turns(moves)] == ["open", "ramping", "closed"]
    moves.append(BreakerMove(9, "openai/gpt", "open"))
    assert turns(moves)[-1].route == "openai/gpt"


def test_the_markdown_report_shows_the_picture_the_checks_and_the_files() -> None:
    said = markdown(RUN, "picture.svg")
    assert "![Outage & detour](picture.svg)" in said
    assert "| ✓ holds | no job is lost | lost jobs 0 |" in said
    assert "| ✗ BROKEN | pipes \\| too |  |" in said
    assert "| output.jsonl | the answers |" in said


def test_the_page_holds_everything_itself_and_escapes_what_it_is_given() -> None:
    said = page(RUN)
    assert "<svg" in said
    assert "100 jobs &lt;ran&gt;." in said
    assert "http" not in said.replace("http://www.w3.org/2000/svg", "")


def test_the_picture_has_a_title_and_a_description_for_those_who_cannot_see_it() -> None:
    root = ET.fromstring(picture(RUN))
    assert root.get("role") == "img"
    assert root.find(SVG + "title").text == "Outage & detour"
    assert root.find(SVG + "desc").text == describe(RUN)
    assert "Anthropic answered 60 calls and failed 3." in describe(RUN)
    assert "Anthropic answers 503 from 5 s to 10 s." in describe(RUN)


def test_the_picture_reads_in_the_dark_too() -> None:
    assert "prefers-color-scheme: dark" in picture(RUN)


def test_a_breakers_strip_covers_the_whole_run_without_gaps() -> None:
    titles = [title.text for title in ET.fromstring(picture(RUN)).iter(SVG + "title")][1:]
    assert titles == [
        "anthropic/claude: closed from 0.0 s to 5.1 s",
        "anthropic/claude: open from 5.1 s to 11.0 s",
        "anthropic/claude: closed from 11.0 s to 20.0 s",
    ]


def test_answered_and_failed_calls_are_bars_of_their_own() -> None:
    assert len(elements(RUN, "rect", **{"class": "served"})) == 1
    assert len(elements(RUN, "rect", **{"class": "failed"})) == 1


def test_a_run_in_which_nothing_happened_can_be_drawn() -> None:
    empty = RunRecord("Nothing", "", 0, [], [], [], [], 0, {}, 0)
    assert ET.fromstring(picture(empty)).tag == SVG + "svg"
    assert "0 accepted = 0 succeeded" in markdown(empty, "p.svg")


@given(st.floats(1, 1e7), st.integers(2, 12))
def test_an_axis_has_a_few_round_ticks(top: float, most: int) -> None:
    for ticks in (Scale(top, 0, 100).ticks(most), Scale(top, 0, 100).clock_ticks(most)):
        assert 1 <= len(ticks) <= most
        assert ticks[-1] <= top


@pytest.mark.parametrize(("wanted", "step"), [(0.1, 1), (1, 1), (3, 5), (11, 20), (24, 25), (260, 500)])
def test_steps_are_round(wanted, step) -> None:
    assert round_step(wanted) == step
    assert round_top(wanted, 1) == step
    assert CLOCK[0] == 1
