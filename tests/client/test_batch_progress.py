"""Rates and spans, without a clock."""

import pytest

from holdfast.client.batch_progress import Meter, sentence
from holdfast.model.job import State


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = Meter()
    for second in range(20):
        meter.note(float(second), 0)
    for second in range(20, 31):
        meter.note(float(second), (second - 20) * 7)
    assert meter.rate == pytest.approx(7.0)


def test_one_look_makes_no_rate() -> None:
    meter = Meter()
    meter.note(1.0, 100)
    assert meter.rate == 0.0


def test_a_line_says_what_failed_and_why_the_rest_waits() -> None:
    counts = {State.SUCCEEDED: 7, State.DEAD: 1, State.DELAYED: 2}
    said = sentence(counts, 0.0, "anthropic/claude-opus-4-8 open for 2.0 s more")
    assert "8/10 done · 1 failed · 2 delayed · anthropic/claude-opus-4-8 open" in said
