"""When a job may start at the earliest, as its producer says it: a point in time, or how long after it is accepted."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast.model.durations import parse_duration
from holdfast.model.iso_time import parse_iso

FIRST_DATE = 1e9  # a number from here on is a point in time (2001 and later); one below is a duration
LAST_DATE = 253_402_300_800.0  # the end of the year 9999
LONGEST = 10 * 366 * 86_400  # seconds that a job may wait for its start, or live
EXPECTED = 'a date such as "2026-12-24T18:00Z", a duration such as "2h", or a number of seconds'


@dataclass(frozen=True, slots=True)
class StartTime:
    """``seconds`` since the epoch where it is a date, else since the job was accepted by SQL's clock."""

    seconds: float
    is_date: bool

    def at(self, now: float) -> float:
        """Return the date, for a job that is accepted ``now``. One that is past is no wait."""
        return self.seconds if self.is_date else now + self.seconds

    def __str__(self) -> str:
        """Write it as ``parse_start`` reads it."""
        return datetime.fromtimestamp(self.seconds, UTC).isoformat() if self.is_date else f"{self.seconds:f}s"


def parse_start(value: object) -> StartTime | None:
    """Read a start time; None where ``value`` is none. A date before 1970 is as past as 1970.

    >>> parse_start("2h"), parse_start("1970-01-02T00:00Z")
    (StartTime(seconds=7200.0, is_date=False), StartTime(seconds=86400.0, is_date=True))
    >>> parse_start("0866-05-04T00:00Z"), parse_start("9999-12-31T23:00-12:00").seconds == LAST_DATE
    (StartTime(seconds=0.0, is_date=True), True)
    >>> parse_start(1_800_000_000), parse_start(90)
    (StartTime(seconds=1800000000.0, is_date=True), StartTime(seconds=90.0, is_date=False))
    >>> [parse_start(value) for value in ("tomorrow", -1, True, None, float("inf"), float("nan"), "9999d", 10**400)]
    [None, None, None, None, None, None, None, None]
    """
    if isinstance(value, str):
        seconds = parse_duration(value)
        date = parse_iso(value) if seconds is None else None
        return _number(seconds) if date is None else StartTime(min(max(date, 0.0), LAST_DATE), is_date=True)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(float(min(value, 10 * LAST_DATE)))  # a larger integer is no float at all
    return None


def _number(seconds: float | None) -> StartTime | None:
    return None if seconds is None else _bounded(seconds, is_date=seconds >= FIRST_DATE)


def _bounded(seconds: float, *, is_date: bool) -> StartTime | None:
    most = LAST_DATE if is_date else LONGEST
    return StartTime(seconds, is_date) if math.isfinite(seconds) and 0 <= seconds <= most else None
