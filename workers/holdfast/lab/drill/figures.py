"""The figures of a drill, and how those of several seeds make the worst one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from holdfast.model.job import State

ENDED = (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class DrillFigures:
    """What one run came to.

    ``lost``: accepted jobs without a terminal record at the end. ``failed_calls`` ended in a fault, those that we gave
    up or that our deadline cut included; these are ``abandoned_calls`` too. ``calls_per_done``: calls for each job
    that succeeded. ``p50_s``, ``p99_s``: from acceptance to result. ``breaker_trips``: closed breakers that opened.
    ``drain_ratio``: the time to work off what an outage left waiting, as a multiple of the least possible time; 1 where
    nothing waited. ``limit_breaches``: calls that a healthy provider refused for their rate. ``equation_holds``:
    accepted = succeeded + dead + cancelled + expired + live, with one record each.
    """

    accepted: int
    succeeded: int
    dead: int
    lost: int
    failed_calls: int
    abandoned_calls: int
    calls_per_done: float
    p50_s: float
    p99_s: float
    breaker_trips: int
    probes: int
    probes_concurrent_max: int
    drain_ratio: float
    limit_breaches: int
    equation_holds: bool

    def view(self) -> dict[str, int | float | bool]:
        return asdict(self)


LESS_IS_WORSE = frozenset({"accepted", "succeeded", "equation_holds"})


def worst(runs: Sequence[DrillFigures]) -> DrillFigures:
    """The worst of each figure; ``runs`` holds one at least."""
    views = [run.view() for run in runs]
    picked = {name: (min if name in LESS_IS_WORSE else max)(view[name] for view in views) for name in views[0]}
    return DrillFigures(**picked)  # type: ignore[arg-type]  # the names are its own


def draw_up(accepted: int, states: Mapping[State, int], took: Iterable[float], calls: int, **rest: Any) -> DrillFigures:
    """Make figures of how many jobs ended how, how long those that succeeded ``took``, and the ``rest`` as it is."""
    done, ascending = states[State.SUCCEEDED], sorted(took)
    return DrillFigures(
        accepted=accepted,
        succeeded=done,
        dead=states[State.DEAD],
        lost=accepted - sum(states[state] for state in ENDED),
        calls_per_done=round(calls / done, 4) if done else 0.0,
        p50_s=round(percentile(ascending, 0.5), 3),
        p99_s=round(percentile(ascending, 0.99), 3),
        **rest,
    )


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The smallest value that is no smaller than ``share`` of all; 0 where there are none.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    return sorted_values[max(0, ceil(share * len(sorted_values)) - 1)] if sorted_values else 0.0
