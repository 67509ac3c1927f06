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


@dataclass(frozen=True, slots=True)
class Bar:
    """One demand, met or not."""

    name: str
    most: float
    found: float

    @property
    def holds(self) -> bool:
        return self.found <= self.most

    def view(self) -> dict[str, float | str | bool]:
        return {"bar": self.name, "most": self.most, "found": self.found, "holds": self.holds}


def check_names(bars: Mapping[str, float | bool], where: str) -> None:
    """Raises InvalidRequest: a bar of a scenario has a name that means nothing here."""
    if unknown := sorted(bars.keys() - CEILINGS.keys()):
        raise InvalidRequest(f"{where}: bars.{unknown[0]}", "is no bar.", f"Known: {', '.join(CEILINGS)}.")


def hold(bars: Mapping[str, float | bool], found: Mapping[str, float | bool]) -> list[Bar]:
    """Hold every bar against ``found``, which has every figure that ``CEILINGS`` names."""
    return [Bar(name, most, found[CEILINGS[name]]) for name, most in bars.items()]
