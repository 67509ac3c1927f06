"""Rate allowances of the twin: one bucket for each credential and model group, moved by the real arithmetic."""

from collections.abc import Mapping
from dataclasses import replace

from holdfast.lab.simulation.policy_hooks import PolicyHooks
from holdfast.model.call_result import Dimension
from holdfast.model.route import Limits
from holdfast.policy.outcome_signals import UNUSED_SHARE
from holdfast.policy.rate_estimate import RateEstimate, begin, observe_answer, observe_refusal
from holdfast.policy.rate_limit import Allowance, Level, Wait, per_minute, refill

_REQUESTS, _INPUT, _OUTPUT = Dimension.REQUESTS, Dimension.INPUT_TOKENS, Dimension.OUTPUT_TOKENS
Tokens = tuple[float, float]  # input and output


class SimulatedBucket:
    """``paused_until`` in seconds. ``learned`` None: the settings name the request limit."""

    __slots__ = ("_hooks", "allowances", "learned", "levels", "name", "paused_until", "short", "taken")

    def __init__(self, name: str, limits: Limits, hooks: PolicyHooks) -> None:
        configured = {
            _REQUESTS: limits.requests_per_minute,
            _INPUT: limits.input_tokens_per_minute,
            _OUTPUT: limits.output_tokens_per_minute,
        }
        self.name, self._hooks = name, hooks
        self.allowances: dict[Dimension, Allowance] = {
            each: per_minute(limit) for each, limit in configured.items() if limit is not None
        }
        self.learned: RateEstimate | None = None
        if limits.requests_per_minute is None:
            self.learned = begin(0.0)
            self.allowances[_REQUESTS] = Allowance(self.learned.per_ms, self.learned.capacity)
        self.levels: Mapping[Dimension, Level] = {
            each: Level(allowance.capacity, 0.0) for each, allowance in self.allowances.items()
        }
        self.paused_until = 0.0
        self.taken = 0
        self.short = -1  # the fetch in which it last was too low for a job

    def take(self, costs: Mapping[Dimension, float], now: float) -> float:
        """Take what one call costs: 0, or seconds to wait."""
        took = self._hooks.take(self.levels, self.allowances, costs, now * 1000, self.paused_until * 1000)
        if isinstance(took, Wait):
            return took.ms / 1000
        self.levels = took
        self.taken += 1
        return 0.0

    @property
    def steady(self) -> bool:
        """Whether nothing but time fills it: neither answers that raise its rate nor tokens that are given back."""
        return self.learned is None and len(self.allowances) == 1

    @property
    def below_limit(self) -> bool:
        """Whether much is left of a limit that somebody told us."""
        return self.learned is None and all(
            level.units > UNUSED_SHARE * self.allowances[each].capacity for each, level in self.levels.items()
        )

    def settle(self, reserved: Tokens, used: Tokens, now: float) -> None:
        """Correct tokens to what was used."""
        if len(self.allowances) > 1:
            pairs = {_INPUT: (reserved[0], used[0]), _OUTPUT: (reserved[1], used[1])}
            self.levels = {
                each: self._hooks.refund(level, self.allowances[each], *pairs[each], now * 1000)
                if each in pairs
                else level
                for each, level in self.levels.items()
            }

    def drop(self, reserved: Tokens, now: float) -> None:
        """Give everything back: the call was never made."""
        self.settle(reserved, (0.0, 0.0), now)
        level = self._hooks.refund(self.levels[_REQUESTS], self.allowances[_REQUESTS], 1, 0, now * 1000)
        self.levels = {**self.levels, _REQUESTS: level}

    def answered(self, now: float) -> None:
        """A call was not refused: a limit that is being learned may be higher."""
        if self.learned is not None:
            self._believe(observe_answer(self.learned, now_ms=now * 1000, taken=self.taken), None, now)

    def refused(self, now: float, sent: float, pause: float, *, teaches: bool) -> None:
        """A call was refused for its rate, and makes the bucket rest for ``pause`` seconds."""
        self.paused_until = max(self.paused_until, now + pause)
        if teaches and self.learned is not None:
            learned, level = observe_refusal(
                self.learned, now_ms=now * 1000, sent_ms=sent * 1000, taken=self.taken, pause_ms=pause * 1000
            )
            self._believe(learned, level, now)

    def lose(self, now: float) -> None:
        """Redis was lost: start empty-handed."""
        self.levels = {each: Level(0.0, now * 1000) for each in self.allowances}
        self.paused_until = 0.0
        if self.learned is not None:
            self.learned = replace(begin(now * 1000), before_count=0)

    def _believe(self, learned: RateEstimate, level: float | None, now: float) -> None:
        if learned is not self.learned:
            self.learned = learned
            known = self.allowances[_REQUESTS]
            if learned.per_ms != known.per_ms or learned.capacity != known.capacity:
                here = refill(self.levels[_REQUESTS], known, now * 1000)  # what came until now came at the old rate
                self.levels = {**self.levels, _REQUESTS: Level(min(here.units, learned.capacity), here.at_ms)}
                self.allowances[_REQUESTS] = Allowance(learned.per_ms, learned.capacity)
        if level is not None:
            self.levels = {**self.levels, _REQUESTS: Level(level, now * 1000)}
