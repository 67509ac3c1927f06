"""What happens to a job after a call: the closed set of next steps. Delays are relative; SQL's clock dates them."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.model.job import DeathReason


@dataclass(frozen=True, slots=True)
class Complete:
    """The reply is the result."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Later, on whichever route admits it then. ``delay`` in seconds, >= 0. The job sleeps in SQL."""

    delay: float
    uses_attempt: bool
    avoid: Mapping[str, float | None]
    output_ceiling: int | None = None  # the most output tokens that its calls may ask for from now on; None: as before


@dataclass(frozen=True, slots=True)
class Reroute:
    """Now, on another route. ``avoid`` maps routes to seconds from now (None: for ever), replacing what was there."""

    avoid: Mapping[str, float | None]
    uses_attempt: bool


@dataclass(frozen=True, slots=True)
class Snooze:
    """Later, without using an attempt: a rate limit, a parked credential, a shutdown, a fault of our own."""

    delay: float
    avoid: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Bury:
    """To the dead letters."""

    reason: DeathReason


Step = Complete | Retry | Reroute | Snooze | Bury
