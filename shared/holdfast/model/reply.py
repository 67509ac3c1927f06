"""The provider-neutral answer."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from holdfast.model.job import MappingNote
from holdfast.model.request import ToolUse, Value


class Finish(StrEnum):
    """Why the model stopped: each is a success of the call.

    ``length`` says that the answer is cut, ``other`` that the provider's word for it (``Reply.finish_word``) has no
    neutral one.
    """

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSED = "refused"
    OTHER = "other"


class Usage(Value):
    """Tokens, normalised: ``input`` includes cached ones, ``output`` includes reasoning."""

    input: int = 0
    output: int = 0
    cached: int = 0  # of input, read from a cache
    cache_written: int = 0  # of input, written to a cache
    reasoning: int = 0  # of output
    estimated: bool = False  # input, output or both are our guess: the provider told none, or none that can be true


class Reply(Value):
    """A reading of one answer. The provider's own body is kept beside it, byte for byte, and has everything."""

    text: str
    """What was said to the user; of a refusal, its words. Empty where the answer holds no text."""
    tool_calls: tuple[ToolUse, ...] = ()
    """Calls that the producer is to make. Each has an id of its own, also where the provider sent none."""
    reasoning: str = ""
    """Thinking in words, as far as the provider tells it, or its summary. Sealed parts stand in the body."""
    finish: Finish
    """Why the answer ended, neutrally."""
    finish_word: str | None = None
    """The provider's own word for that, unchanged; None where it told none."""
    usage: Usage
    """What the call cost in tokens, as far as the provider's figures can be believed."""
    model: str
    """The model that answered, as the provider named it."""
    choices: int = 1
    """How many answers the body holds (``n``). This is the first."""
    provider_request_id: str | None = None
    """The provider's name for the call, from its headers. Set by the adapter."""
    notes: tuple[MappingNote, ...] = ()
    """What reading had to mend or leave in the body. The adapter puts them into the job's mapping report."""
    native: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What only its wire format can say, by that format's name: how the same answer is written there again."""
