"""What a drill hands back: of one seed, and of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.lab.drill.figures import DrillFigures, worst
from holdfast.lab.drill.thresholds import Threshold
from holdfast.lab.report.run_record import BreakerMove, Sample


@dataclass(frozen=True, slots=True)
class Timeline:
    """How a run went over time, for its picture. ``answers``: calls by provider, bar and status."""

    seconds: float
    bar: float
    samples: Sequence[Sample]
    moves: Sequence[BreakerMove]
    answers: Mapping[tuple[str, int, str], int]


@dataclass(frozen=True, slots=True)
class SeedReport:
    """One seed. ``violations`` counts broken promises by sentence; ``costs`` is what it cost, by the names of
    ``costs.py``; ``routes`` counts the jobs that each did.
    """

    scenario: str
    seed: int
    figures: DrillFigures
    bars: Sequence[Threshold]
    violations: Mapping[str, int]
    costs: Mapping[str, float]
    course: Timeline
    routes: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Every bar is met, and no promise was broken."""
        return not self.violations and self.figures.equation_holds and all(bar.holds for bar in self.bars)

    def view(self) -> dict[str, Any]:
        """Its part of the JSON answer."""
        broken = {"broken_bars": [bar.name for bar in self.bars if not bar.holds], "violations": dict(self.violations)}
        return {"seed": self.seed, "passed": self.holds, **self.figures.view(), **broken}

    def without_course(self) -> "SeedReport":
        """Figures alone, for a drill of many seeds."""
        return replace(self, course=Timeline(self.course.seconds, self.course.bar, (), (), {}))


@dataclass(frozen=True, slots=True)
class DrillResult:
    """Several seeds of one scenario, in the order of their seeds. ``yours``: what of a configuration was drilled."""

    runs: Sequence[SeedReport]
    yours: Mapping[str, Any] | None = field(default=None, kw_only=True)

    @property
    def holds(self) -> bool:
        return all(run.holds for run in self.runs)

    @property
    def worst(self) -> DrillFigures:
        return worst([run.figures for run in self.runs])

    @property
    def bars(self) -> list[Threshold]:
        """Each bar with the worst that was found."""
        columns = zip(*(run.bars for run in self.runs), strict=True)
        return [max(column, key=lambda bar: bar.misses_by) for column in columns]

    @property
    def violations(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for run in self.runs:
            for sentence, times in run.violations.items():
                found[sentence] = found.get(sentence, 0) + times
        return dict(sorted(found.items()))

    @property
    def costs(self) -> dict[str, float]:
        """The most that any seed cost."""
        return {name: max(run.costs[name] for run in self.runs) for name in self.runs[0].costs}

    @property
    def routes(self) -> dict[str, int]:
        """Jobs that each route did, over all seeds."""
        done: dict[str, int] = {}
        for run in self.runs:
            for route, jobs in run.routes.items():
                done[route] = done.get(route, 0) + jobs
        return done

    @property
    def remark(self) -> str:
        """What a reader has to know of how it was played; empty in virtual time, where nothing else plays a part."""
        return ""

    @property
    def failing_seeds(self) -> list[int]:
        return [run.seed for run in self.runs if not run.holds]

    def view(self) -> dict[str, Any]:
        """The JSON answer. With one seed its figures stand at the top as well."""
        figures = self.worst.view()
        return {
            "scenario": self.runs[0].scenario,
            "passed": self.holds,
            **(figures if len(self.runs) == 1 else {}),
            "worst": figures,
            "seeds": [run.view() for run in self.runs],
            "bars": [bar.view() for bar in self.bars],
            "violations": self.violations,
            "failing_seeds": self.failing_seeds,
            "costs": self.costs,
            "routes": self.routes,
            **({"yours": {**self.yours, **self.costs}} if self.yours else {}),
        }
