"""The forms that the lines of an output can have."""

from dataclasses import dataclass
from enum import StrEnum


class OutputForm(StrEnum):
    """How answers are written: each in the form that its line had, or all in one."""

    AUTO = "auto"
    PLAIN = "plain"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line of an output: ``error`` is the kind of what went wrong, None where nothing did."""

    position: int
    error: str | None
    cost_usd: float | None
    text: bytes
