"""A provider with a token bucket, and a fleet that asks our bucket before each call: virtual time, one seed."""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.policy.latency_sign import NO_ANSWERS
from holdfast.policy.rate_estimate import (
    START_LEVEL,
    RateEstimate,
    begin,
    observe_answer,
    observe_limit,
    observe_refusal,
    observe_use,
)
from holdfast.policy.rate_estimate_codec import dump, parse
from holdfast.policy.rate_limit import Allowance, Level, Wait, refill, take

REQUESTS = Dimension.REQUESTS


@dataclass
class ProviderLimiter:
    """A provider's limiter: ``rate`` a second, ``burst`` at most."""

    rate: float = 0.0
    burst: float = 1.0
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.burst

    def takes(self, at: float, call_ms: float) -> float:
        return call_ms

    def admits(self, now_ms: float) -> bool:
        self.level = min(self.burst, self.level + max(0.0, now_ms - self.at) * self.rate / 1_000)
        self.at = max(self.at, now_ms)
        if self.level < 1:
            return False
        self.level -= 1
        return True


@dataclass
class FixedWindow(ProviderLimiter):
    """Lets ``burst`` requests in each minute, which began ``phase`` seconds before the first call."""

    phase: float = 13.0
    minute: int = 0

    def admits(self, now_ms: float) -> bool:
        minute = int((now_ms / 1_000 + self.phase) // 60)
        if minute != self.minute:
            self.minute, self.level = minute, self.burst
        return super().admits(now_ms)


@dataclass
class SlidingWindow(ProviderLimiter):
    """Lets ``burst`` requests in within any minute."""

    admitted: deque[float] = field(default_factory=deque)

    def admits(self, now_ms: float) -> bool:
        while self.admitted and self.admitted[0] <= now_ms - 60_000:
            self.admitted.popleft()
        if len(self.admitted) >= self.burst:
            return False
        self.admitted.append(now_ms)
        return True


@dataclass
class QueueingServer(ProviderLimiter):
    """Refuses nobody: it works on ``places`` calls at once, and lets the others wait."""

    rate: float = 1e9
    burst: float = 1e9
    places: int = 10
    free_at: list[float] = field(default_factory=list)
    longest_wait: float = 0.0

    def takes(self, at: float, call_ms: float) -> float:
        begins = at if len(self.free_at) < self.places else max(at, heapq.heappop(self.free_at))
        heapq.heappush(self.free_at, begins + call_ms)
        self.longest_wait = max(self.longest_wait, begins - at)
        return begins + call_ms - at


@dataclass
class Run:
    makespan_ms: float
    refused: int
    peak: float
    learned: RateEstimate
    sent_in_first_second: int


@dataclass
class Fleet:
    """Jobs go through one bucket, whose limit is learned, from ``start`` on, unless ``configured`` holds it.

    ``headers``: answers tell the limit. Refusals come back after ``quick`` ms.
    """

    jobs: int
    limiter: ProviderLimiter
    headers: bool = False
    configured: Allowance | None = None
    call_ms: float = 200.0
    quick: tuple[float, float] = (2.0, 15.0)
    retry_after_ms: float = 1_000.0
    poll_ms: float = 10.0
    seed: int = 1
    start: RateEstimate | None = None

    def run(self) -> Run:
        self.chance = random.Random(self.seed)
        self.learned = self.start or begin(0.0)
        self.sent_in_first_second, self.answers = 0, NO_ANSWERS
        known = self.allowance.capacity if self.configured else 1.0 if self.start else START_LEVEL
        self.level = Level(known, 0.0)
        self.paused_until = self.taken = self.refused = self.done = 0
        self.waiting, self.heard, self.sequence = self.jobs, [], 0
        now = peak = 0.0
        while self.done < self.jobs:
            self._hear(now)
            self._send(now)
            peak = max(peak, self.learned.per_ms)
            now += self.poll_ms
        return Run(self.last_done, self.refused, peak, self.learned, self.sent_in_first_second)

    @property
    def allowance(self) -> Allowance:
        return self.configured or Allowance(self.learned.per_ms, self.learned.capacity)

    def _send(self, now: float) -> None:
        while self.waiting:
            took = take({REQUESTS: self.level}, {REQUESTS: self.allowance}, {REQUESTS: 1.0}, now, self.paused_until)
            if isinstance(took, Wait):
                return
            self.level, self.taken, self.waiting = took[REQUESTS], self.taken + 1, self.waiting - 1
            self.sent_in_first_second += now < 1_000.0
            self._believe(now, observe_use(self.learned, now_ms=now, taken=self.taken), None)
            self._call(now)

    def _call(self, now: float) -> None:
        arrives = now + self.chance.uniform(1, 5)
        self.sequence += 1
        heapq.heappush(self.heard, (arrives, self.sequence, now, "arrives", None))

    def _hear(self, now: float) -> None:
        while self.heard and self.heard[0][0] <= now:
            at, _, sent, what, remaining = heapq.heappop(self.heard)
            if what == "arrives":
                admitted = self.limiter.admits(at)
                back = at + (self.limiter.takes(at, self.call_ms) if admitted else self.chance.uniform(*self.quick))
                self.sequence += 1
                heapq.heappush(self.heard, (back, self.sequence, sent, "ok" if admitted else "429", self.limiter.level))
            elif what == "ok":
                self._answered(now, at, sent, remaining)
            else:
                self._was_refused(now, sent)

    def _answered(self, now: float, at: float, sent: float, remaining: float) -> None:
        self.done, self.last_done = self.done + 1, at
        if self.headers:
            seen = LimitSeen(self.limiter.rate * 60, remaining)
            self._believe(now, *observe_limit(self.learned, seen, now_ms=now, sent_ms=sent, taken=self.taken))
        self.answers = self.answers.plus(1, (at - sent) / 1_000, now)
        learned = observe_answer(self.learned, now_ms=now, taken=self.taken, answers=self.answers)
        if self.answers.are_due(now):
            self.answers = NO_ANSWERS
        self._believe(now, learned, None)

    def _was_refused(self, now: float, sent: float) -> None:
        self.refused, self.waiting = self.refused + 1, self.waiting + 1
        pause = self.retry_after_ms + self.chance.uniform(0, 20)
        self.paused_until = max(self.paused_until, now + pause)
        self._believe(
            now,
            *observe_refusal(self.learned, now_ms=now, sent_ms=sent, taken=self.taken, pause_ms=pause),
        )

    def _believe(self, now: float, learned: RateEstimate, level: float | None) -> None:
        if learned is not self.learned:
            self.level = refill(self.level, self.allowance, now)
            self.learned = parse(dump(learned))
            assert self.learned == learned
        if level is not None:
            self.level = Level(level, now)
