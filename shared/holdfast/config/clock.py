"""The clock that this process goes by: the real one, unless a drill lets it run faster for every process of its pool.

``HOLDFAST_CLOCK=60@1790000000`` says: since second 1790000000 of the real clock, sixty seconds pass in each. Whatever
is dated, budgeted or limited is read from this clock, and whoever waits turns its seconds into real ones with ``real``.
What belongs to the machine and not to the world (how long a group commit gathers, how often a store that is away is
tried again) stays in real seconds.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.model.environment import CLOCK

_MICROS = 1_000_000
UNHURRIED = 10.0

_speed, _since = 1.0, 0.0


def now() -> float:
    """Seconds since the epoch."""
    return _since + (time.time() - _since) * _speed


def now_micros() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000 if _speed == 1.0 else int(now() * _MICROS)


def monotonic() -> float:
    """Seconds that never go back."""
    return time.monotonic() * _speed


def unhurried() -> float:
    """Seconds that never go back, for what guards against this machine's own slowness: ten times faster at most.

    At speed 60, hundredths of a real second would else count for as much as a process that stood still.
    """
    return time.monotonic() * min(_speed, UNHURRIED)


def real(seconds: float) -> float:
    """The real seconds in which ``seconds`` of this clock pass: what to sleep."""
    return seconds / _speed


def passed(real_seconds: float) -> float:
    """The seconds of this clock that pass in so many real ones: what was measured with a stopwatch."""
    return real_seconds * _speed


def is_real() -> bool:
    return _speed == 1.0


def formula() -> str:
    """How to come to this clock's time from a real one's, for a server that has one: ``SPEED@SINCE``; "": not at all.

    Several processes that each tell a server the time tell it late, and in no order.
    """
    return "" if is_real() else f"{_speed!r}@{_since!r}"


@contextmanager
def running(speed: float) -> Iterator[None]:
    """Let time run faster from now on, here and in every process that is started meanwhile."""
    before = os.environ.get(CLOCK)
    os.environ[CLOCK] = f"{speed!r}@{time.time()!r}"
    _set(os.environ[CLOCK])
    try:
        yield
    finally:
        if before is None:
            del os.environ[CLOCK]
        else:
            os.environ[CLOCK] = before
        _set(before)


def _set(text: str | None) -> None:
    global _speed, _since
    speed, _, since = (text or "1@0").partition("@")
    _speed, _since = float(speed), float(since)
    if not _speed > 0:
        raise ValueError(f"{CLOCK}: expected a speed above zero, got {text!r}")


_set(os.environ.get(CLOCK))
