"""The provider's own rate limits: token buckets with continuous refill, enforced to the last unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.lab.providers.settings import SimSettings

MINUTE = 60.0


@dataclass(slots=True)
class RateBucket:
    """``rate`` units a second flow in, up to ``capacity``. Starts full. ``now`` is any steady clock, in seconds."""

    rate: float
    capacity: float
    level: float = field(init=False)
    at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.level = self.capacity

    def refill(self, now: float) -> float:
        if self.at is not None:
            self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now
        return self.level

    def admits(self, cost: float) -> bool:
        """A cost above the capacity needs a full bucket and leaves a debt."""
        return self.level >= min(cost, self.capacity)

    def full_in(self) -> float:
        return (self.capacity - self.level) / self.rate


class RateLimits:
    """All limits of one provider: a call is let in by every bucket, or refused and charged to none."""

    def __init__(self, settings: SimSettings) -> None:
        self.buckets: dict[str, RateBucket] = {}
        if settings.rate is not None:
            self.buckets["requests"] = RateBucket(settings.rate, settings.burst)
        tokens = {"input_tokens": settings.input_tokens_per_minute, "output_tokens": settings.output_tokens_per_minute}
        for name, per_minute in tokens.items():
            if per_minute is not None:
                self.buckets[name] = RateBucket(per_minute / MINUTE, per_minute / MINUTE * settings.token_burst)

    def take(self, costs: Mapping[str, float], now: float) -> str | None:
        """Charge ``costs`` to every bucket. Returns the name of the one that refused; then nothing was charged."""
        for name, bucket in self.buckets.items():
            bucket.refill(now)
            if not bucket.admits(costs[name]):
                return name
        for name, bucket in self.buckets.items():
            bucket.level -= costs[name]
        return None
