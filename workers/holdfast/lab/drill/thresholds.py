"""What a scenario demands, held against what a run came to."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.model.errors import InvalidRequest

# The names of bars in scenario files, and which figure each looks at.
CEILINGS: Mapping[str, str] = {
    "lost": "lost",
    "dead_max": "dead",
    "failed_calls_max": "failed_calls",
    "abandoned_calls_max": "abandoned_calls",
    "calls_per_done_max": "calls_per_done",
    "p50_s_max": "p50_s",
    "p99_s_max": "p99_s",
    "breaker_trips_max": "breaker_trips",
    "probes_max": "probes",
    "probes_concurrent_max": "probes_concurrent_max",
    "drain_factor_max": "drain_ratio",
    "drain_ratio_max": "drain_ratio",
    "rate_limit_violations": "limit_breaches",
    "limit_breaches": "limit_breaches",
    "first_5s_concurrency_max": "first_5s_concurrency",
    "credential_marked_dead": "credential_marked_dead",
    "violations_max": "violations",
}
FLOORS: Mapping[str, str] = {"succeeded_min": "succeeded", "equation_holds": "equation_holds"}
FIGURES: Mapping[str, str] = {**CEILINGS, **FLOORS}
# What has to hold whatever the plan: the other bars were set under the scenario's own conditions.
ALWAYS = frozenset(
    {"lost", "dead_max", "probes_concurrent_max", "credential_marked_dead", "violations_max", "equation_holds"}
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One demand, met or not: at ``most`` so much of its figure, or for a floor at least."""

    name: str
    most: float
    found: float

    @property
    def holds(self) -> bool:
        return self.found >= self.most if self.name in FLOORS else self.found <= self.most

    @property
    def misses_by(self) -> float:
        """How far off, whatever the direction: the more the worse."""
        return self.most - self.found if self.name in FLOORS else self.found - self.most

    def view(self) -> dict[str, float | str | bool]:
        return {"bar": self.name, "most": self.most, "found": self.found, "holds": self.holds}


def check_names(bars: Mapping[str, float], where: str) -> None:
    """Raises InvalidRequest: a bar of a scenario has a name that means nothing here."""
    if unknown := sorted(bars.keys() - FIGURES.keys()):
        raise InvalidRequest(f"{where}: bars.{unknown[0]}", "is no bar.", f"Known: {', '.join(FIGURES)}.")


def bars_for(bars: Mapping[str, float], *, standard: bool) -> dict[str, float]:
    """The bars that can be held against a pool. ``standard``: under the conditions of the scenario."""
    return {name: most for name, most in bars.items() if standard or name in ALWAYS}


def hold(bars: Mapping[str, float], found: Mapping[str, float | bool]) -> list[Threshold]:
    """Hold every bar against ``found``, which has every figure that ``FIGURES`` names."""
    return [Threshold(name, most, found[FIGURES[name]]) for name, most in bars.items()]
