"""How long a provider asks us to wait, in every way the providers say it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from holdfast.wire.durations import number, sent_at, spoken, wait

LONGEST = 3600.0  # seconds; nobody is believed who asks for more: the limit may be lifted before
PACIFIC = timedelta(hours=-8)  # Google's daily quotas end at midnight there; an hour late in summer, never early
MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
SECONDS = ("retry-after", "x-retry-after", "x-ratelimit-reset-after")


def retry_after(
    headers: Mapping[str, str],
    now: float = 0.0,
    *,
    told: Sequence[str] = (),
    message: str = "",
    daily: bool = False,
    limited: bool = True,
) -> float | None:
    """Seconds that the provider asks us to wait, from 0 to an hour; None where it says nothing.

    Headers that say it outright come first, then what the body says in a field, then its words, then when the limit
    that is used up is full again.

    Args:
        headers: Names in lower case.
        now: Seconds since the epoch, for moments where the answer itself carries no date.
        told: Waits and moments that stand in fields of the body.
        message: The body's words.
        daily: Whether a quota of Google's per day was used up.
        limited: Whether the answer tells of a limit. If not, words and the state of limits say nothing of a wait.
    """
    at = sent_at(headers, now)
    found = _first(_from_headers(headers, at))
    if found is None:
        fields = [seconds for text in told if (seconds := wait(text, at)) is not None]
        fields += [until_pacific_midnight(at)] if daily else []
        found = max(fields, default=None)
    if found is None and limited:
        found = spoken(message)
    if found is None and limited:
        found = limits_reset(headers, at)
    return None if found is None else min(max(0.0, found), LONGEST)


def _from_headers(headers: Mapping[str, str], at: float) -> Iterator[float | None]:
    for name in MILLISECONDS:
        milliseconds = number(headers.get(name))
        yield None if milliseconds is None else milliseconds / 1000
    for name in SECONDS:
        if name in headers:
            yield wait(headers[name], at)


def _first(found: Iterator[float | None]) -> float | None:
    return next((seconds for seconds in found if seconds is not None), None)


def limits_reset(headers: Mapping[str, str], at: float) -> float | None:
    """Seconds until the limits that are used up are full again; where none is, until the first of all.

    Names differ by provider (``x-ratelimit-reset-tokens``, ``anthropic-ratelimit-requests-reset``), and each names its
    remainder in the same way. ``RateLimit`` is read as draft-ietf-httpapi-ratelimit-headers has it.
    """
    used_up: list[float] = []
    others: list[float] = []
    for name, text in headers.items():
        if "ratelimit" not in name.replace("-", ""):
            continue
        for remaining, reset in _resets(name, text, headers):
            seconds = wait(reset, at)
            if seconds is not None:
                (used_up if number(remaining) == 0 else others).append(seconds)
    return max(used_up) if used_up else min(others, default=None)


def _resets(name: str, text: str, headers: Mapping[str, str]) -> Iterator[tuple[str | None, str]]:
    if "reset" in name:
        yield headers.get(name.replace("reset", "remaining")), text
    elif name == "ratelimit":
        for policy in text.split(",") if ";" in text else [text.replace(",", ";")]:
            fields = dict(part.strip().split("=", 1) for part in policy.split(";") if "=" in part)
            reset = fields.get("t", fields.get("reset"))
            if reset is not None:
                yield fields.get("r", fields.get("remaining")), reset


def until_pacific_midnight(now: float) -> float:
    """Seconds until the day ends in California, counted in winter time.

    >>> until_pacific_midnight(8 * 3600 - 60)
    60.0
    """
    there = datetime.fromtimestamp(now, UTC) + PACIFIC
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - there).total_seconds()
