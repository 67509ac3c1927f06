"""A simulated provider in virtual time: what it does to a call in its present phase, and what its limiter says."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from random import Random

from holdfast.model.fault import Fault
from holdfast.model.reply import Reply
from holdfast.sim.drill.modes import INPUT_TOKENS, outcome_of
from holdfast.sim.drill.scenario import Load, Part, Phase

REFUSAL = (0.02, 0.1)  # seconds that the limiter's own 429 takes


@dataclass(frozen=True, slots=True)
class Fate:
    """What a mix holds for a call whose draw is below ``below``. ``span`` seconds are drawn on top of ``least``."""

    below: float
    outcome: Reply | Fault
    least: float
    span: float


class Limiter:
    """A token bucket, as providers keep it: one second's worth of burst."""

    def __init__(self, per_second: float) -> None:
        self.per_second, self.level, self.at = per_second, per_second, 0.0

    def lets_in(self, now: float, units: float = 1.0) -> bool:
        self.level = min(self.per_second, self.level + max(0.0, now - self.at) * self.per_second)
        self.at = max(self.at, now)
        if self.level < units:
            return False
        self.level -= units
        return True


class Provider:
    """``call`` must be asked in the order of time, or nearly so. ``breaches`` counts what the limiter refused."""

    def __init__(self, phases: Sequence[Phase], load: Load, chance: Random, limit: float | None) -> None:
        self._takes, self._random = load.takes, chance.random
        self._limiters: list[tuple[Limiter, float]] = [(Limiter(limit), 1.0)] if limit else []
        if limit and load.tokens_per_second:
            self._limiters.append((Limiter(load.tokens_per_second), INPUT_TOKENS))
        self._script = [(0.0, self._fates(()), True)]
        self._script += [(phase.at, self._fates(phase.mix), phase.is_well) for phase in sorted(phases, key=_at)]
        self._place = 0
        self._next = self._begins(1)
        self._fate: tuple[Fate, ...] = self._script[0][1]
        self.breaches = 0

    def call(self, now: float) -> tuple[Reply | Fault, float]:
        """The outcome of a call that arrives now, and the seconds it takes (infinite: until we cut it)."""
        while now >= self._next:
            self._place += 1
            self._fate = self._script[self._place][1]
            self._next = self._begins(self._place + 1)
        for limiter, units in self._limiters:
            if not limiter.lets_in(now, units):
                self.breaches += 1
                return outcome_of("e429"), REFUSAL[0] + (REFUSAL[1] - REFUSAL[0]) * self._random()
        fates = self._fate
        if len(fates) > 1:
            draw = self._random()
            for fate in fates:
                if draw < fate.below:
                    return fate.outcome, fate.least + fate.span * self._random()
        fate = fates[-1]
        return fate.outcome, fate.least + fate.span * self._random()

    def heals(self) -> list[tuple[float, float]]:
        """Spans of health that follow an illness: begin and end, seconds."""
        turns = [*self._script, (inf, (), False)]
        return [
            (at, turns[place + 1][0])
            for place, (at, _, well) in enumerate(self._script)
            if well and place and not self._script[place - 1][2]
        ]

    def was_well(self, since: float, until: float) -> bool:
        """Whether nothing was wrong at any time between the two moments."""
        turns = [*self._script, (inf, (), True)]
        return all(well or end <= since or at > until for (at, _, well), (end, _, _) in pairwise(turns))

    def _begins(self, place: int) -> float:
        return self._script[place][0] if place < len(self._script) else inf

    def _fates(self, mix: Sequence[Part]) -> tuple[Fate, ...]:
        below, fates = 0.0, []
        for part in mix:
            below += part.share
            least, most = part.takes or self._takes
            outcome = outcome_of(part.mode)
            if part.mode == "hang":
                least, most = inf, inf
            fates.append(Fate(below, outcome, least, 0.0 if least == inf else most - least))
        if below < 1.0 - 1e-9:
            least, most = self._takes
            fates.append(Fate(1.0, outcome_of("ok"), least, most - least))
        return tuple(fates)


def _at(phase: Phase) -> float:
    return phase.at
