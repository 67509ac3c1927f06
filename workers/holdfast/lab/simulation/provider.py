"""A simulated provider in virtual time: what it does to a call in its present phase, and what its limiter says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from random import Random

from holdfast.lab.drill.scenario import Load, Part, Phase, is_well
from holdfast.lab.simulation.outcomes import outcome_of
from holdfast.model.fault import Fault
from holdfast.model.reply import Reply
from holdfast.model.route import Api

REFUSAL = (0.02, 0.1)  # seconds that the limiter's own 429 takes


@dataclass(frozen=True, slots=True)
class DrawnOutcome:
    """What a mix holds for a call whose draw is below ``below``. ``span`` seconds are drawn on top of ``least``."""

    below: float
    outcome: Reply | Fault
    least: float
    span: float


@dataclass(frozen=True, slots=True)
class PlayedPhase:
    """A phase as it is played, from second ``at`` on. ``mean``: seconds that a call takes in it on average."""

    at: float
    fates: tuple[DrawnOutcome, ...]
    well: bool
    mean: float


class ProviderLimiter:
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


class SimulatedProvider:
    """``call`` must be asked in the order of time, or nearly so. After second ``ends`` nothing is wrong any more.

    ``limits`` holds the requests a second, and perhaps the input tokens a second, that each bucket of ours (a
    credential and model group) may use. ``breaches`` counts what the limiters refused.
    """

    def __init__(  # noqa: PLR0917  # the whole of what a provider is made of
        self,
        phases: Sequence[Phase],
        ends: float,
        load: Load,
        chance: Random,
        limits: Mapping[str, tuple[float, float | None]],
        api: Api = Api.ANTHROPIC,
    ) -> None:
        self._load, self._api, self._random, self.limits = load, api, chance.random, limits
        self._limiters = {bucket: self._made(*limit) for bucket, limit in limits.items()}
        script = [self._turn(0.0, ()), *(self._turn(each.at, each.mix) for each in phases if each.at < ends)]
        self._script = [*script, self._turn(ends, ())]
        self._place = 0
        self._next = self._begins(1)
        self._fates = self._script[0].fates
        self._refusal = outcome_of("e429", load, api)
        self.breaches = 0

    def call(self, now: float, bucket: str) -> tuple[Reply | Fault, float]:
        """The outcome of a call that arrives now, and the seconds it takes (infinite: until we cut it)."""
        while now >= self._next:
            self._place += 1
            self._fates = self._script[self._place].fates
            self._next = self._begins(self._place + 1)
        for limiter, units in self._limiters.get(bucket, ()):
            if not limiter.lets_in(now, units):
                self.breaches += 1
                return self._refusal, REFUSAL[0] + (REFUSAL[1] - REFUSAL[0]) * self._random()
        fates = self._fates
        if len(fates) > 1:
            draw = self._random()
            for fate in fates:
                if draw < fate.below:
                    return fate.outcome, fate.least + fate.span * self._random()
        fate = fates[-1]
        return fate.outcome, fate.least + fate.span * self._random()

    def heals(self) -> list[tuple[float, float, float]]:
        """Spans of health that follow an illness: begin, end, and the seconds that a call takes then."""
        ends = [*(turn.at for turn in self._script[1:]), inf]
        return [
            (turn.at, end, turn.mean)
            for before, turn, end in zip(self._script, self._script[1:], ends[1:], strict=False)
            if turn.well and not before.well
        ]

    def was_well(self, since: float, until: float) -> bool:
        """Whether nothing was wrong at any time between the two moments."""
        turns = [*((turn.at, turn.well) for turn in self._script), (inf, True)]
        return all(well or end <= since or at > until for (at, well), (end, _) in pairwise(turns))

    def _begins(self, place: int) -> float:
        return self._script[place].at if place < len(self._script) else inf

    def _made(self, requests: float, tokens: float | None) -> list[tuple[ProviderLimiter, float]]:
        made = [(ProviderLimiter(requests), 1.0)]
        return made if tokens is None else [*made, (ProviderLimiter(tokens), float(self._load.input_tokens))]

    def _turn(self, at: float, mix: Sequence[Part]) -> PlayedPhase:
        below, fates, mean = 0.0, [], 0.0
        for part in (*mix, Part(share=max(0.0, 1.0 - sum(part.share for part in mix)), mode="ok")):
            if part.share < 1e-9:  # noqa: PLR2004  a rounding error
                continue
            below += part.share
            least, most = (inf, inf) if part.mode == "hang" else part.spread(self._load.takes)
            span = 0.0 if least == inf else most - least
            fates.append(DrawnOutcome(below, outcome_of(part.mode, self._load, self._api), least, span))
            mean += part.share * (least + span / 2)
        return PlayedPhase(at, tuple(fates), is_well(mix), mean)
