"""One clock for a process and those it starts: the real one, or one that runs faster in a drill."""

import os
import subprocess
import sys
import time

import pytest

from holdfast.model.environment import CLOCK
from holdfast.testing import PRODUCTION, Clock
from holdfast.testing.clock import fast_clock

ASK = """
import sys; from holdfast.testing import Clock
clock = Clock.from_environment(); sys.stdout.write(repr((clock.now(), clock.real(120.0))))
"""


def test_without_a_drill_it_is_the_real_clock():
    clock, before = PRODUCTION.clock, time.time()
    assert before <= clock.now() <= time.time()
    assert clock.is_real
    assert (clock.real(2.5), clock.passed(2.5)) == (2.5, 2.5)


def test_in_a_drill_every_real_second_holds_many():
    with fast_clock(1_000.0) as clock:
        assert not clock.is_real
        assert (clock.real(120.0), clock.passed(0.12)) == (0.12, 120.0)
        began, real = clock.now(), time.monotonic()
        while time.monotonic() - real < 0.01:
            pass
        assert clock.now() - began >= 9.0
        assert abs(clock.now_micros() / 1e6 - clock.now()) < 60.0
    assert Clock.from_environment().is_real
    assert CLOCK not in os.environ


def test_a_process_that_is_started_in_a_drill_has_the_same_time():
    with fast_clock(60.0) as clock:
        said = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True).stdout
        now, real = eval(said)
        assert now <= clock.now()
        assert real == 2.0


def test_it_begins_at_the_real_time_and_never_goes_back():
    with fast_clock(60.0) as clock:
        assert abs(clock.now() - time.time()) < 60.0
        seen = [clock.monotonic() for _ in range(100)]
        assert seen == sorted(seen)


@pytest.mark.parametrize("text", ["0@0", "-1@0", "fast@0"])
def test_a_speed_that_is_none_is_refused(text: str):
    environment = {**os.environ, CLOCK: text}
    ended = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, check=False)
    assert ended.returncode != 0


def test_what_guards_against_slowness_is_hurried_ten_times_at_most() -> None:
    with fast_clock(4.0) as clock:
        assert clock.unhurried() / time.monotonic() == pytest.approx(4.0, rel=1e-3)
    with fast_clock(60.0) as clock:
        assert clock.unhurried() / time.monotonic() == pytest.approx(10.0, rel=1e-3)
