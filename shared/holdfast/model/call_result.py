"""What an adapter brings back from one call: a reply or a fault, and what the answer's headers told about limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.model.job import MappingReport

if TYPE_CHECKING:
    from holdfast.model.fault import Fault
    from holdfast.model.reply import Reply


class Dimension(StrEnum):
    """What a provider's rate limits count."""

    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"


@dataclass(frozen=True, slots=True)
class LimitSeen:
    """One rate limit as a provider's headers told it."""

    per_minute: float
    """Units a minute, above 0."""
    remaining: float | None = None
    """Units that were left after the call."""


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """A provider's answer as it came, kept for whoever wants more of it than our reading."""

    status: int
    """HTTP status."""
    body: bytes = field(repr=False)
    """Byte for byte where the status is 200. Of an error: redacted, and no more of it than a person reads."""
    request_id: str | None = None
    """The provider's name for the call."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """The end of one call, as an adapter brings it back."""

    outcome: "Reply | Fault"
    """What the provider answered, or what went wrong."""
    mapping: MappingReport = field(default_factory=MappingReport)
    """What the request lost on its way into the route's format."""
    limits: Mapping[Dimension, LimitSeen] = field(default_factory=dict)
    """The limits that the headers told; empty where they said nothing that can be trusted."""
    seconds: float = 0.0
    """How long the call took, login included."""
    response: ProviderResponse | None = None
    """The answer as it came. None: nothing came, or nothing that is worth keeping."""
