"""What a recorded run left behind: the values from which its picture and its report are made.

All times are seconds from the beginning of the run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SERVED = "200"


@dataclass(frozen=True, slots=True)
class Sample:
    """How many jobs were where, at one moment."""

    at: float
    done: int  # succeeded
    in_flight: int
    waiting: int
    ended: int = 0  # dead, cancelled or expired

    @property
    def total(self) -> int:
        return self.done + self.in_flight + self.waiting + self.ended


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """A span of the run with a name, such as an outage."""

    name: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class ProviderLog:
    """Calls of one provider by how they ended: ``points`` are (seconds, status, calls)."""

    name: str
    points: Sequence[tuple[float, str, int]]

    def calls(self, *, served: bool) -> int:
        return sum(calls for _, status, calls in self.points if (status == SERVED) == served)


@dataclass(frozen=True, slots=True)
class BreakerMove:
    """A breaker came into a state: closed, open, half_open, or ramping (closed, but letting calls in step by step)."""

    at: float
    route: str
    state: str


def turns(moves: Sequence[BreakerMove]) -> list[BreakerMove]:
    """The moves worth a sentence: a probe that fails, and the opening after it, are left out."""
    told: list[BreakerMove] = []
    states: dict[str, str] = {}
    for move in moves:
        if move.state != "half_open" and states.get(move.route, "closed") != move.state:
            told.append(move)
            states[move.route] = move.state
    return told


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence that the run had to make true.

    ``is_promise`` is False for a bar that a busy machine can miss: a miss is told, and fails nothing.
    """

    sentence: str
    holds: bool
    figures: Mapping[str, int | float] = field(default_factory=dict)
    is_promise: bool = True


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A whole run. ``ended`` counts terminal jobs by state; ``live`` those that were not."""

    title: str
    lead: str
    seconds: float
    samples: Sequence[Sample]
    providers: Sequence[ProviderLog]
    moves: Sequence[BreakerMove]
    phases: Sequence[NamedSpan]
    accepted: int
    ended: Mapping[str, int]
    live: int
    checks: Sequence[Check] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # name to what is in it

    @property
    def balanced(self) -> bool:
        """The ledger equation holds."""
        return self.accepted == sum(self.ended.values()) + self.live
