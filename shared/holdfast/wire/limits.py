"""What an answer's headers tell about rate limits."""

from collections.abc import Mapping
from datetime import datetime

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.wire.durations import duration, number, sent_at

ANTHROPIC: Mapping[Dimension, str] = {
    Dimension.REQUESTS: "requests",
    Dimension.INPUT_TOKENS: "input-tokens",
    Dimension.OUTPUT_TOKENS: "output-tokens",
}
# OpenAI counts input and output against one figure: each of ours is bounded by it.
OPENAI: Mapping[Dimension, str] = {
    Dimension.REQUESTS: "requests",
    Dimension.INPUT_TOKENS: "tokens",
    Dimension.OUTPUT_TOKENS: "tokens",
}
MINUTE = 60.0
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
    for dimension, name in OPENAI.items():
        if limit := headers.get(f"x-ratelimit-limit-{name}"):
            reset = duration(headers.get(f"x-ratelimit-reset-{name}", ""))
            found[dimension] = _limit(limit, headers.get(f"x-ratelimit-remaining-{name}"), reset)
    return {dimension: seen for dimension, seen in found.items() if seen is not None}


def _limit(limit: str, remaining: str | None, reset: float | None) -> LimitSeen | None:
    units, left = number(limit), number(remaining)
    if units is None or units <= 0:
        return None
    left = left if left is not None and 0 <= left <= units else None
    return LimitSeen(units * MINUTE / _period(units, left, reset), left)


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
