"""Token figures of an answer. They are a provider's word, and doubted: what cannot be true is estimated instead."""

from typing import Any

from holdfast.model.bounds import MOST_TOKENS
from holdfast.model.reply import Usage


def read_usage(usage: Any, input_key: str, output_key: str) -> Usage:
    """Read the figures of OpenAI's formats, in which input includes cached tokens and output reasoning.

    Where the total is more than the sum, the rest is output: Gemini and xAI leave the reasoning out of theirs (Gemini
    API reference, "OpenAI compatibility"; docs.x.ai, "Reasoning"). A figure that is missing follows from the total.
    """
    inward, outward, total = figure(usage, input_key), figure(usage, output_key), figure(usage, "total_tokens")
    if total is not None and inward is None and outward is not None:
        inward = max(0, total - outward)
    if total is not None and outward is None and inward is not None:
        outward = max(0, total - inward)
    hidden = max(0, (total or 0) - (inward or 0) - (outward or 0)) if inward and outward is not None else 0
    read, written = inner(usage, f"{input_key}_details"), inner(usage, f"{output_key}_details")
    return checked(
        inward,
        None if outward is None else outward + hidden,
        cached=_first(read, "cached_tokens") or _first(usage, "prompt_cache_hit_tokens", "cached_tokens"),
        cache_written=_first(read, "cache_write_tokens"),
        reasoning=max(hidden, _first(written, "reasoning_tokens")),
    )


def checked(inward: int | None, outward: int | None, *, cached: int, cache_written: int, reasoning: int) -> Usage:
    """Return figures that fit one another. One that is missing is 0, and the usage is marked as estimated."""
    asked, said = inward or 0, outward or 0
    read = min(cached, asked)
    return Usage(
        input=asked,
        output=said,
        cached=read,
        cache_written=min(cache_written, asked - read),
        reasoning=min(reasoning, said),
        estimated=not inward or outward is None,
    )


def write_usage(usage: Usage, input_key: str, output_key: str) -> dict[str, Any]:
    return {
        input_key: usage.input,
        f"{input_key}_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written},
        output_key: usage.output,
        f"{output_key}_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def figure(figures: Any, key: str) -> int | None:
    """A token count, or None where it is missing or no call could have it.

    >>> [figure({"n": told}, "n") for told in (5, 5.0, "5", 2**64, -1, 5.5, True, None)]
    [5, 5, 5, None, None, None, None, None]
    """
    told = figures.get(key) if isinstance(figures, dict) else None
    if told is None:
        return None
    count = told if type(told) is int else _whole(told)
    return count if count is not None and 0 <= count <= MOST_TOKENS else None


def _whole(told: Any) -> int | None:
    """A whole number that was told as a float, or as text."""
    if isinstance(told, float) and told.is_integer():
        return int(told)
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= len(str(MOST_TOKENS)):
        return int(told)
    return None


def inner(figures: Any, key: str) -> Any:
    """What stands under ``key``, where there is anything."""
    return figures.get(key) if isinstance(figures, dict) else None


def _first(figures: Any, *keys: str) -> int:
    if not figures:
        return 0
    return next((found for key in keys if (found := figure(figures, key))), 0)
