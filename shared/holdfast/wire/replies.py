"""What reading an answer has in common in every format: how it ended, and its token figures.

Answers are read with patterns, not with a model for each: servers send null, nothing and odd values where a schema
would demand something, each of which has its own meaning here, and a model would have to be read with patterns again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Usage
from holdfast.model.request import ToolUse
from holdfast.wire.bad_answer import BadAnswer


def read_finish(reason: Any, meanings: Mapping[str, Finish | FaultKind], what: str, field: str) -> Finish:
    """Return what the reason of an answer's end means. Raises BadAnswer where that is no end, or nobody knows it."""
    known = reason if isinstance(reason, str) else None
    found = meanings.get(known) if known is not None else None
    if isinstance(found, Finish):
        return found
    raise BadAnswer(f"the {what} ended with {known or f'no {field}'}.", found or FaultKind.BAD_ANSWER, known)


def settle_finish(finish: Finish, text: str, calls: Sequence[ToolUse], what: str) -> Finish:
    """Return how an answer ended, in view of what it holds: calls are an end of their own. Raises BadAnswer."""
    if not text and not calls and finish not in {Finish.REFUSED, Finish.LENGTH}:
        raise BadAnswer(f"the {what} has no content.")
    return Finish.TOOL_CALLS if calls and finish is Finish.STOP else finish


def read_usage(usage: Any, input_key: str, output_key: str) -> Usage:
    """Read the figures of OpenAI: input includes cached tokens, output reasoning. Without them they are estimated."""
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
