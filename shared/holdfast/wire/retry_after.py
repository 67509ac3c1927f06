"""How long a provider asks us to wait, in every way the providers say it."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
SPOKEN = re.compile(r"(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?) ?(ms|s|m|h)(?:ec|in|our)?", re.IGNORECASE)
LONGEST = 2 * 86_400.0  # seconds; a reset further away is no reset
PACIFIC = timedelta(hours=-8)  # Google's daily quotas end at midnight there; an hour late in summer, never early


def retry_after(headers: Mapping[str, str], details: Any = None, now: float = 0.0) -> float | None:
    """Seconds that the provider asks us to wait, >= 0; None where it says nothing.

    ``retry-after-ms``, then ``retry-after`` as seconds or as a date (against the answer's own ``date``), then what
    stands in the error's ``details``: Google's ``RetryInfo``, OpenRouter's reset.
    """
    milliseconds = number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    header = headers.get("retry-after")
    seconds = number(header)
    if seconds is not None:
        return max(0.0, seconds)
    moment = http_date(header)
    if moment is not None:
        return max(0.0, moment - sent_at(headers, now))
    if isinstance(details, Mapping):
        return openrouter_delay(details, sent_at(headers, now))
    return google_delay(details, sent_at(headers, now))


def number(text: str | None) -> float | None:
    """A finite number; None for anything else."""
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def http_date(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
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


def google_delay(details: Any, now: float) -> float | None:
    """The wait that Google puts into an error's details: a delay, or the rest of the day for a daily quota."""
    delay: float | None = None
    for detail in details if isinstance(details, list) else ():
        match detail:
            case {"retryDelay": str(text)}:
                delay = max(delay or 0.0, duration(text) or 0.0)
            case {"violations": [*violations]} if any("PerDay" in str(violation) for violation in violations):
                delay = max(delay or 0.0, until_pacific_midnight(now))
    return delay


def openrouter_delay(metadata: Mapping[str, Any], now: float) -> float | None:
    """The wait until the moment, in milliseconds, that OpenRouter repeats among the headers of its metadata."""
    match metadata:
        case {"headers": {"X-RateLimit-Reset": str() | int() as moment}}:
            reset = number(str(moment))
            return None if reset is None or not 0 < reset / 1000 - now < LONGEST else reset / 1000 - now
    return None


def spoken_delay(message: str) -> float | None:
    """The wait that only the words tell.

    >>> [spoken_delay(text) for text in ("Please retry in 45.5s.", "Please retry after 6 seconds.", "Try again in 1m")]
    [45.5, 6.0, 60.0]
    """
    found = SPOKEN.search(message)
    return float(found[1]) * SECONDS[found[2].lower()] if found else None


def until_pacific_midnight(now: float) -> float:
    """Seconds until the day ends in California, counted in winter time.

    >>> until_pacific_midnight(8 * 3600 - 60)
    60.0
    """
    there = datetime.fromtimestamp(now, UTC) + PACIFIC
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - there).total_seconds()
