"""Token figures of both OpenAI formats: input includes cached tokens, output includes reasoning."""

from collections.abc import Mapping
from typing import Any

from holdfast.model.reply import Usage


def read_usage(usage: Any, input_key: str, output_key: str) -> Usage:
    """Read the figures. Without them, the usage is marked as estimated."""
    if not isinstance(usage, Mapping) or not isinstance(usage.get(output_key), int):
        return Usage(estimated=True)
    inward, outward = usage.get(f"{input_key}_details"), usage.get(f"{output_key}_details")
    return Usage(
        input=count(usage, input_key),
        output=count(usage, output_key),
        cached=count(inward, "cached_tokens"),
        cache_written=count(inward, "cache_write_tokens"),
        reasoning=count(outward, "reasoning_tokens"),
    )


def write_usage(usage: Usage, input_key: str, output_key: str) -> dict[str, Any]:
    return {
        input_key: usage.input,
        f"{input_key}_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written},
        output_key: usage.output,
        f"{output_key}_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def count(figures: Any, key: str) -> int:
    """A token count that may be missing, null or nonsense."""
    value = figures.get(key) if isinstance(figures, Mapping) else None
    return value if isinstance(value, int) and value > 0 else 0
