"""The clock that a process goes by: the real one, unless a drill lets it run faster for every process of its pool.

``HOLDFAST_CLOCK=60@1790000000`` says: since second 1790000000 of the real clock, sixty seconds pass in each. Whatever
is dated, budgeted or limited is read from this clock, and whoever waits turns its seconds into real ones with ``real``.
What belongs to the machine and not to the world (how long a group commit gathers, how often a store that is away is
tried again) stays in real seconds.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from holdfast.model.environment import CLOCK

UNHURRIED = 10.0
_MICROS = 1_000_000


class Clock:
    """``speed`` seconds pass in each real one, counted from second ``since`` of the epoch. Never changed."""

    def __init__(self, speed: float = 1.0, since: float = 0.0) -> None:
        if not speed > 0:
            raise ValueError(f"{CLOCK}: expected a speed above zero, got {speed!r}")
        self.speed, self.since = speed, since

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> "Clock":
        """Return the clock that HOLDFAST_CLOCK tells, by default the real one. Raises ValueError."""
        speed, _, since = ((os.environ if env is None else env).get(CLOCK) or "1@0").partition("@")
        return cls(float(speed), float(since))

    @property
    def is_real(self) -> bool:
        return self.speed == 1.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.since + (time.time() - self.since) * self.speed

    def now_micros(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1_000 if self.is_real else int(self.now() * _MICROS)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() * self.speed

    def unhurried(self) -> float:
        """Seconds that never go back, for what guards against this machine's own slowness: ten times faster at most.

        At speed 60, hundredths of a real second would else count for as much as a process that stood still.
        """
        return time.monotonic() * min(self.speed, UNHURRIED)

    def real(self, seconds: float) -> float:
        """The real seconds in which ``seconds`` of this clock pass: what to sleep."""
        return seconds / self.speed

    def passed(self, real_seconds: float) -> float:
        """The seconds of this clock that pass in so many real ones: what was measured with a stopwatch."""
        return real_seconds * self.speed

    def formula(self) -> str:
        """How to come to this clock's time from a real one's, for a server that has one: ``SPEED@SINCE``.

        "" for the real clock. Several processes that each tell a server the time tell it late, and in no order.
        """
        return "" if self.is_real else f"{self.speed!r}@{self.since!r}"


@contextmanager
def fast_clock(speed: float) -> Iterator[Clock]:
    """Let time run faster from now on in every process that is started meanwhile. Yields the clock for this one."""
    before, clock = os.environ.get(CLOCK), Clock(speed, time.time())
    os.environ[CLOCK] = f"{clock.speed!r}@{clock.since!r}"
    try:
        yield clock
    finally:
        if before is None:
            del os.environ[CLOCK]
        else:
            os.environ[CLOCK] = before
