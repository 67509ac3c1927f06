"""What an answer's headers tell about rate limits."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.wire.durations import duration, number, sent_at

ANTHROPIC: Mapping[Dimension, str] = {
    Dimension.REQUESTS: "requests",
    Dimension.INPUT_TOKENS: "input-tokens",
    Dimension.OUTPUT_TOKENS: "output-tokens",
}
# The names that OpenAI's headers began, and others go on with: what is counted, of which tokens, over which time.
#   requests, tokens: OpenAI, Azure, Groq, Cerebras
#   req-minute, tokens-minute: Mistral (github.com/mistralai/client-ts/issues/169)
#   tokens-prompt, tokens-generated: Fireworks (docs.fireworks.ai/serverless/rate-limits)
#   tokens-per-minute, tokens-per-day: DigitalOcean (docs.digitalocean.com, quota-specific response headers)
# x-ratelimit-limit alone (Together, Kimi, OpenRouter) says neither what nor over which time, and is not believed.
LIMIT, REMAINING, RESET = "x-ratelimit-limit-", "x-ratelimit-remaining-", "x-ratelimit-reset-"
BOTH = (Dimension.INPUT_TOKENS, Dimension.OUTPUT_TOKENS)  # counted against one figure: each is bounded by it
COUNTED: Mapping[str, tuple[Dimension, ...]] = {
    "requests": (Dimension.REQUESTS,),
    "req": (Dimension.REQUESTS,),
    "tokens": BOTH,
    "tokens-prompt": (Dimension.INPUT_TOKENS,),
    "tokens-input": (Dimension.INPUT_TOKENS,),
    "input-tokens": (Dimension.INPUT_TOKENS,),
    "tokens-generated": (Dimension.OUTPUT_TOKENS,),
    "tokens-output": (Dimension.OUTPUT_TOKENS,),
    "output-tokens": (Dimension.OUTPUT_TOKENS,),
}
PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0, "month": 2_592_000.0}
NAME = re.compile(rf"(?P<counted>[a-z-]+?)(?:-(?:per-)?(?P<period>{'|'.join(PERIODS)}|1[smhd]))?")
MINUTE = 60.0
NAMES = 100  # of headers whose reading is kept
LONGEST = 90.0  # seconds: a limit per minute is full again before


def read_limits(headers: Mapping[str, str], now: float = 0.0) -> Mapping[Dimension, LimitSeen]:
    """Read the limits; empty where the headers say nothing that can be trusted (zero and below: some proxies).

    Args:
        headers: Names in lower case.
        now: Seconds since the epoch, for reset times where the answer carries no date.
    """
    found: dict[Dimension, LimitSeen | None] = {}
    for dimension, name in ANTHROPIC.items():
        stem = f"anthropic-ratelimit-{name}"
        if limit := headers.get(f"{stem}-limit"):
            reset = _moment(headers.get(f"{stem}-reset"), sent_at(headers, now))
            found[dimension] = _limit(limit, headers.get(f"{stem}-remaining"), reset)
    for named in _names(headers):
        reset = duration(headers.get(RESET + named.text, ""))
        seen = _limit(headers[LIMIT + named.text], headers.get(REMAINING + named.text), reset, named.period)
        for dimension in named.counted:
            found.setdefault(dimension, seen)
    return {dimension: seen for dimension, seen in found.items() if seen is not None}


class _Name(NamedTuple):
    """How a header names a limit. ``period``: seconds over which it holds, where the name says that."""

    text: str
    counted: tuple[Dimension, ...]
    period: float | None


def _names(headers: Mapping[str, str]) -> list[_Name]:
    """The limits that headers name, the shortest time first: what is left of a day does not tell how fast to go."""
    named = [_read_name(header.removeprefix(LIMIT)) for header in headers if header.startswith(LIMIT)]
    return sorted((name for name in named if name), key=lambda name: (name.period or MINUTE, -len(name.text)))


@lru_cache(NAMES)
def _read_name(text: str) -> _Name | None:
    """Read a name; None where a word of it is not known."""
    found = NAME.fullmatch(text)
    if found is None or found["counted"] not in COUNTED:
        return None
    word = found["period"]
    period = None if word is None else PERIODS.get(word) or duration(word)
    return _Name(text, COUNTED[found["counted"]], period)


def _limit(limit: str, remaining: str | None, reset: float | None, period: float | None = None) -> LimitSeen | None:
    units, left = number(limit), number(remaining)
    if units is None or units <= 0:
        return None
    left = left if left is not None and 0 <= left <= units else None
    return LimitSeen(units * MINUTE / (period or _period(units, left, reset)), left)


def _period(units: float, left: float | None, reset: float | None) -> float:
    """Seconds over which the limit holds: a minute, but for those that say they take longer to be full again."""
    if reset is None or left is None or left >= units or reset <= LONGEST:
        return MINUTE
    return max(MINUTE, reset * units / (units - left))


def _moment(text: str | None, now: float) -> float | None:
    """Seconds from ``now`` to an RFC 3339 time."""
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - now) if text else None
    except ValueError:
        return None
