"""Buckets learn limits that the settings leave open, from headers and refusals. What to believe is policy's to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.lanes.compiled_plan import CompiledPlans
from holdfast.lanes.script_client import ScriptClient
from holdfast.model.attempt import Attempt
from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Reply
from holdfast.policy.rate_estimate import (
    RateEstimate,
    Stage,
    begin,
    dump,
    observe_answer,
    observe_limit,
    observe_refusal,
    parse,
)
from holdfast.policy.rate_limit import per_minute
from holdfast.policy.targets import Target

CONFLICTS = 50  # times that other processes may write the same bucket while we try to


@dataclass(frozen=True, slots=True)
class UsageSample:
    """Finished calls of one bucket. ``rests``: seconds that each makes the bucket rest. ``taken``: permits so far."""

    target: Target
    calls: Sequence[Attempt]
    rests: Sequence[float]
    taken: int
    now_ms: float


@dataclass(frozen=True, slots=True)
class LimitUpdate:
    """What one bucket's hash becomes, if its ``learn.version`` still is ``version``. ``level`` None leaves it."""

    bucket: str
    version: int
    learned: RateEstimate | None
    told: Mapping[Dimension, float]
    fields: Mapping[str, str]
    level: float | None

    def arguments(self) -> list[str | int]:
        """Return learn.lua's arguments, but for the clock."""
        flat = [text for pair in self.fields.items() for text in pair]
        return [self.version, "" if self.level is None else repr(self.level), *flat]


@dataclass(frozen=True, slots=True)
class _Known:
    """What this process last saw of a bucket; version -1: nothing yet. ``told``: limits per minute from headers."""

    version: int = -1
    learned: RateEstimate | None = None
    told: Mapping[Dimension, float] | None = None


class LimitLearner:
    """What this process knows of every bucket's limits, so that most answers cost no read."""

    def __init__(self, scripts: ScriptClient) -> None:
        self._scripts = scripts
        self._known: dict[str, _Known] = {}

    async def learn(self, sample: UsageSample) -> None:
        """Write what calls told of their bucket's limits, by compare-and-set; again where others wrote meanwhile."""
        for _ in range(CONFLICTS):
            update = self._fold(sample)
            if update is None:
                return
            key = self._scripts.keys.bucket(update.bucket)
            found = await self._scripts.run("learn", [key], [self._scripts.time_argument(), *update.arguments()])
            if not found:
                self._known[update.bucket] = _Known(update.version + 1, update.learned, update.told)
                return
            self._correct(update.bucket, found)

    def was_told(self, bucket: str) -> bool:
        """Whether a header named the request limit, and nothing has denied it since."""
        learned = self._known.get(bucket, _Known()).learned
        return learned is not None and learned.stage is Stage.TOLD

    def _fold(self, sample: UsageSample) -> LimitUpdate | None:
        """Take in what calls told. None: nothing new."""
        bucket = sample.target.bucket
        known = self._known.get(bucket, _Known())
        told = _told(sample.calls)
        limits = {each: seen.per_minute for each, seen in told.items()}
        fields: dict[str, str] = {} if limits == (known.told or {}) or not limits else _fields(sample.target, limits)
        learned, level = known.learned, None
        if sample.target.learns:
            learned, level = _learn(
                known.learned or begin(sample.now_ms, sample.taken), sample, told.get(Dimension.REQUESTS)
            )
            if learned is not known.learned:
                fields |= dump(learned)
        if not fields and level is None:
            return None
        return LimitUpdate(bucket, known.version, learned, limits or known.told or {}, fields, level)

    def _correct(self, bucket: str, fields: Sequence[str]) -> None:
        """Redis holds another version; ``fields`` are field, value, field, value …"""
        hash_ = dict(zip(fields[::2], fields[1::2], strict=True))
        try:
            learned = parse(hash_) or begin(float(hash_.get("learn.began") or 0))
        except (ValueError, KeyError):
            learned = None  # nobody's: learn it anew
        told = self._known.get(bucket, _Known()).told
        self._known[bucket] = _Known(int(hash_.get("learn.version") or 0), learned, told)


def samples_of(
    attempts: Sequence[Attempt], rests: Sequence[float], plans: CompiledPlans, taken: Mapping[str, int], now: float
) -> list[UsageSample]:
    """Sort ended calls by bucket. ``rests``: seconds that each makes its bucket rest. ``taken``: permits so far."""
    by_bucket: dict[str, tuple[Target, list[Attempt], list[float]]] = {}
    for attempt, rest in zip(attempts, rests, strict=True):
        target = plans.target(attempt.permit)
        if target is not None and target.bucket in taken and (attempt.limits or target.learns):
            _, calls, pauses = by_bucket.setdefault(target.bucket, (target, [], []))
            calls.append(attempt)
            pauses.append(rest)
    return [UsageSample(*found, taken[bucket], now * 1000) for bucket, found in by_bucket.items()]


def _learn(learned: RateEstimate, sample: UsageSample, seen: LimitSeen | None) -> tuple[RateEstimate, float | None]:
    now_ms, taken, level = sample.now_ms, sample.taken, None
    for call, rest in zip(sample.calls, sample.rests, strict=True):
        if call.fault is not None and call.fault.kind is FaultKind.RATE_LIMITED:
            sent_ms = now_ms - call.seconds * 1000
            learned, emptied = observe_refusal(
                learned, now_ms=now_ms, sent_ms=sent_ms, taken=taken, pause_ms=rest * 1000
            )
            level = level if emptied is None else emptied
    if seen is not None:
        sent_ms = now_ms - sample.calls[-1].seconds * 1000
        learned, set_to = observe_limit(learned, seen, now_ms=now_ms, sent_ms=sent_ms, taken=taken)
        level = level if set_to is None else set_to
    if any(isinstance(call.outcome, Reply) for call in sample.calls):
        learned = observe_answer(learned, now_ms=now_ms, taken=taken)
    return learned, level


def _told(calls: Sequence[Attempt]) -> Mapping[Dimension, LimitSeen]:
    """What the latest headers said; limits that are no limits are left out."""
    for call in reversed(calls):
        if call.limits:
            return {each: seen for each, seen in call.limits.items() if seen.per_minute > 0}
    return {}


def _fields(target: Target, limits: Mapping[Dimension, float]) -> dict[str, str]:
    """The hash fields that follow from headers alone: token limits that are not configured, caps on those that are."""
    fields: dict[str, str] = {}
    for each, limit in limits.items():
        allowance = per_minute(limit)
        if each in target.configured:
            fields[f"{each}.told"] = repr(allowance.per_ms)
        elif each is not Dimension.REQUESTS:
            fields |= {f"{each}.per_ms": repr(allowance.per_ms), f"{each}.capacity": repr(allowance.capacity)}
    return fields
