"""Times as providers write them: seconds, durations, dates, words."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = r"(\d+(?:\.\d+)?)\s?(ms|milli(?:second)?s?|d(?:ay)?s?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\b"
_STUCK = r"(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+"  # 1m15s has no word boundary inside
SPOKEN = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing)?|retried|wait|reset[s ]|available|next)\D{0,40}?"
    rf"(?P<wait>{_STUCK}\b|{_PART}(?:[\s,]+(?:and )?{_PART})*)",
    re.IGNORECASE,
)
PARTS = re.compile(r"(\d+(?:\.\d+)?)\s?(ms|mil|d|h|m|s)", re.IGNORECASE)
EPOCH = 1_000_000_000.0  # a number of seconds beyond this is a moment, not a wait
EPOCH_MS = 1_000_000_000_000.0
MOST_DIGITS = 40  # characters of a number that are read


def number(text: str | None) -> float | None:
    """A finite number; None for anything else."""
    try:
        value = float(text) if text is not None and len(text) <= MOST_DIGITS else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@lru_cache(16)  # answers of one second tell the same
def http_date(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def iso_date(text: str | None) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text) if text else None
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def sent_at(headers: Mapping[str, str], now: float) -> float:
    """When the provider answered, on its own clock where it tells: ours may be off."""
    moment = http_date(headers.get("date"))
    return now if moment is None else moment


def duration(text: str) -> float | None:
    """Seconds of a duration as headers and protobuf write it.

    >>> [duration(text) for text in ("12ms", "7.66s", "6m0s", "45.837906927s", "soon")]
    [0.012, 7.66, 360.0, 45.837906927, None]
    """
    parts = DURATION.findall(text)
    if not parts or "".join(f"{value}{unit}" for value, unit in parts) != text:
        return None
    return sum(float(value) * SECONDS[unit] for value, unit in parts)


def spoken(message: str) -> float | None:
    """The wait that only words tell.

    >>> [spoken(text) for text in ("Please retry in 45.5s.", "try again in 1m15s", "Wait 2 minutes and 5 seconds.")]
    [45.5, 75.0, 125.0]
    """
    found = SPOKEN.search(message)
    return None if found is None else _sum(found["wait"])


def _sum(words: str) -> float:
    return sum(
        float(value) * SECONDS["ms" if unit.lower() == "mil" else unit.lower()] for value, unit in PARTS.findall(words)
    )


def wait(text: str, now: float) -> float | None:
    """Seconds from ``now``, >= 0, in whatever way ``text`` writes a wait or a moment; None where it writes neither.

    >>> [wait(text, 1_800_000_000.0) for text in ("7", "1m15s", "75 seconds", "1800000030", "1800000030000", "soon")]
    [7.0, 75.0, 75.0, 30.0, 30.0, None]
    >>> wait("2027-01-15T08:00:30Z", 1_800_000_000.0)
    30.0
    """
    text = text.strip()[:100]
    seconds = number(text)
    if seconds is not None:
        return max(0.0, _from_number(seconds, now))
    told = duration(text)
    if told is not None:
        return told
    moment = http_date(text) if "," in text else iso_date(text)
    if moment is not None:
        return max(0.0, moment - now)
    return _sum(text) if re.fullmatch(rf"{_PART}(?:[\s,]+(?:and )?{_PART})*\.?", text, re.IGNORECASE) else None


def _from_number(value: float, now: float) -> float:
    if value >= EPOCH_MS:
        return value / 1000 - now
    return value - now if value >= EPOCH else value
