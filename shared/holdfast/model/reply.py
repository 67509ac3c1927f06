"""The provider-neutral answer."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from holdfast.model.request import ToolUse, Value


class Finish(StrEnum):
    """Why the model stopped. ``length`` is a success, flagged truncated; ``refused`` is a success of the call."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSED = "refused"


class Usage(Value):
    """Tokens, normalised: ``input`` includes cached ones, ``output`` includes reasoning."""

    input: int = 0
    output: int = 0
    cached: int = 0  # of input, read from a cache
    cache_written: int = 0  # of input, written to a cache
    reasoning: int = 0  # of output
    estimated: bool = False  # the provider sent none


class Reply(Value):
    text: str
    tool_calls: tuple[ToolUse, ...] = ()
    finish: Finish
    usage: Usage
    model: str  # as the provider named it
    provider_request_id: str | None = None
    native: dict[str, dict[str, Any]] = Field(default_factory=dict)  # provider-bound parts, by wire format
