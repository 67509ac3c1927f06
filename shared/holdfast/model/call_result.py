"""What an adapter brings back from one call: a reply or a fault, and what the answer's headers told about limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.model.fault import Fault
from holdfast.model.job import MappingReport
from holdfast.model.reply import Reply


class Dimension(StrEnum):
    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"


@dataclass(frozen=True, slots=True)
class LimitSeen:
    """One rate limit as a provider's headers told it. ``per_minute`` > 0; ``remaining`` units; ``reset_in`` seconds."""

    per_minute: float
    remaining: float | None = None
    reset_in: float | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """The end of one call. ``limits`` is empty where the headers said nothing that can be trusted."""

    outcome: Reply | Fault
    mapping: MappingReport = field(default_factory=MappingReport)
    limits: Mapping[Dimension, LimitSeen] = field(default_factory=dict)
    seconds: float = 0.0
