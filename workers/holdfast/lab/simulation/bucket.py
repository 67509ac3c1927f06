"""A rate allowance of the simulation: ``policy.rate_limit`` moves it, ``policy.rate_estimate`` learns its rate."""

from collections.abc import Mapping
from dataclasses import replace

from holdfast.lab.simulation.policy_hooks import PolicyHooks
from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.model.reply import Usage
from holdfast.policy.admission import BucketState, share_left
from holdfast.policy.latency_sign import NO_ANSWERS
from holdfast.policy.outcome_signals import UNUSED_SHARE
from holdfast.policy.rate_estimate import (
    START_LEVEL,
    UPWARDS,
    RateEstimate,
    begin,
    observe_answer,
    observe_refusal,
    observe_use,
)
from holdfast.policy.rate_limit import TRUSTED_PAUSE, Allowance, Level, next_rest, per_minute, refill
from holdfast.policy.targets import Target, limits_by_dimension

_REQUESTS, _INPUT, _OUTPUT = Dimension.REQUESTS, Dimension.INPUT_TOKENS, Dimension.OUTPUT_TOKENS
NOTHING = Usage()


class SimulatedBucket:
    """One bucket in ``buckets``, which the gate reads: its state is there and nowhere else.

    ``estimate`` is None where the configuration names the request limit. ``taken``: permits ever given from it.
    """

    __slots__ = ("_answers", "_buckets", "_hooks", "estimate", "name", "taken")

    def __init__(self, target: Target, buckets: dict[str, BucketState], hooks: PolicyHooks) -> None:
        self.name, self._buckets, self._hooks, self.taken = target.bucket, buckets, hooks, 0
        self._answers = NO_ANSWERS
        known = limits_by_dimension(target.route.limits)
        allowances = {each: per_minute(limit) for each, limit in known.items() if limit is not None}
        self.estimate = begin(0.0) if target.learns else None
        if self.estimate is not None:
            allowances[_REQUESTS] = Allowance(self.estimate.per_ms, self.estimate.capacity)
        levels = {each: Level(allowance.capacity, 0.0) for each, allowance in allowances.items()}
        if self.estimate is not None:
            levels[_REQUESTS] = Level(START_LEVEL, 0.0)
        buckets[self.name] = BucketState(allowances, levels, grows=self.estimate is not None)

    @property
    def state(self) -> BucketState:
        return self._buckets[self.name]

    @property
    def is_steady(self) -> bool:
        """Whether nothing but time fills it: neither answers that raise its rate nor tokens that are given back."""
        return self.estimate is None and len(self.state.allowances) == 1

    def is_below_limit(self, left: BucketState) -> bool:
        """Whether much was ``left`` of a limit that somebody told us."""
        return self.estimate is None and share_left(left.levels, left.allowances) > UNUSED_SHARE

    def take(self, levels: Mapping[Dimension, Level], now: float) -> BucketState:
        """A permit was given, which leaves ``levels``. Returns what is left."""
        self.taken += 1
        after = self._buckets[self.name] = self.state.after(levels, now)
        if self.estimate is not None and self.estimate.stage in UPWARDS:
            self._believe(observe_use(self.estimate, now_ms=now * 1000, taken=self.taken), None, now)
        return after

    def settle(self, target: Target, need: Need, usage: Usage, now: float) -> None:
        """Correct tokens to what was used."""
        state = self.state
        if len(state.allowances) > 1:
            reserved, used = target.reserved(need), target.real_cost(usage)
            pairs = {_INPUT: (reserved[0], used[0]), _OUTPUT: (reserved[1], used[1])}
            self._become(
                {
                    each: self._hooks.refund(level, state.allowances[each], *pairs[each], now * 1000)
                    if each in pairs
                    else level
                    for each, level in state.levels.items()
                }
            )

    def drop(self, target: Target, need: Need, now: float) -> None:
        """Give everything back: the call was never made."""
        self.settle(target, need, NOTHING, now)
        levels, allowance = self.state.levels, self.state.allowances[_REQUESTS]
        self._become({**levels, _REQUESTS: self._hooks.refund(levels[_REQUESTS], allowance, 1, 0, now * 1000)})

    def answered(self, now: float, seconds: float) -> None:
        """A call was not refused: a limit that is learned may be higher, and a wait that was asked for is over."""
        if self.state.ask_after:
            self._buckets[self.name] = self.state._replace(paused_until=0.0, ask_after=0.0)
        if self.estimate is not None:
            self._answers = self._answers.plus(1, seconds, now * 1000)
            estimate = observe_answer(self.estimate, now_ms=now * 1000, taken=self.taken, answers=self._answers)
            if self._answers.are_due(now * 1000):
                self._answers = NO_ANSWERS
            self._believe(estimate, None, now)

    def refused(self, now: float, sent: float, pause: float, *, teaches: bool) -> None:
        """A call was refused for its rate, and makes the bucket rest for ``pause`` seconds."""
        state = self.state
        asks = (state.ask_after or next_rest(0.0)) if pause > TRUSTED_PAUSE else state.ask_after
        until = max(state.paused_until, now + (asks if pause > TRUSTED_PAUSE else pause))
        self._buckets[self.name] = state._replace(paused_until=until, ask_after=asks)
        if teaches and self.estimate is not None:
            estimate, level = observe_refusal(
                self.estimate, now_ms=now * 1000, sent_ms=sent * 1000, taken=self.taken, pause_ms=pause * 1000
            )
            self._believe(estimate, level, now)

    def lose(self, now: float) -> None:
        """Redis was lost: start empty-handed."""
        levels = {each: Level(0.0, now * 1000) for each in self.state.allowances}
        self._buckets[self.name] = BucketState(self.state.allowances, levels, grows=self.estimate is not None)
        if self.estimate is not None:
            self.estimate = replace(begin(now * 1000), before_count=0)

    def _become(self, levels: Mapping[Dimension, Level]) -> BucketState:
        state = self.state
        after = self._buckets[self.name] = state._replace(levels=levels)
        return after

    def _believe(self, estimate: RateEstimate, level: float | None, now: float) -> None:
        if estimate is self.estimate:
            return
        state, levels = self.state, dict(self.state.levels)
        known, believed = state.allowances[_REQUESTS], Allowance(estimate.per_ms, estimate.capacity)
        self.estimate = estimate
        if believed != known:
            here = refill(levels[_REQUESTS], known, now * 1000)  # what came until now came at the old rate
            levels[_REQUESTS] = Level(min(here.units, believed.capacity), here.at_ms)
        if level is not None:
            levels[_REQUESTS] = Level(level, now * 1000)
        allowances, grows = {**state.allowances, _REQUESTS: believed}, estimate.stage in UPWARDS
        self._buckets[self.name] = state._replace(allowances=allowances, levels=levels, grows=grows)
