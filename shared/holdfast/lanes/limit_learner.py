"""Buckets learn limits that the settings leave open, from headers and refusals. What to believe is policy's to say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from holdfast.lanes.compiled_plan import CompiledPlans
from holdfast.lanes.lua import flat, unflat
from holdfast.lanes.script_client import ScriptClient
from holdfast.model.attempt import Attempt
from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import FaultKind
from holdfast.model.job import Permit
from holdfast.model.reply import Reply
from holdfast.policy.latency_sign import NO_ANSWERS, Answers
from holdfast.policy.learned_limit import told_fields
from holdfast.policy.rate_estimate import (
    UPWARDS,
    RateEstimate,
    Stage,
    begin,
    observe_answer,
    observe_limit,
    observe_refusal,
    observe_use,
)
from holdfast.policy.rate_estimate_codec import dump, parse
from holdfast.policy.rate_limit import per_minute
from holdfast.policy.targets import Target

CONFLICTS = 50  # times that other processes may write the same bucket while we try to

Calls = Sequence[tuple[Attempt, float]]  # ended calls of one bucket, each with the seconds that its bucket must rest


@dataclass(frozen=True, slots=True)
class KnownLimits:
    """What this process last saw of a bucket; version -1: nothing yet.

    ``told``: limits per minute from headers. ``taken``: permits ever given from it, by then.
    """

    version: int = -1
    estimate: RateEstimate | None = None
    told: Mapping[Dimension, float] = field(default_factory=dict)
    taken: int = 0


class LimitLearner:
    """What this process knows of every bucket's limits, so that most answers cost no read."""

    def __init__(self, scripts: ScriptClient, plans: CompiledPlans) -> None:
        self._scripts, self._plans = scripts, plans
        self._known: dict[str, KnownLimits] = {}
        self._taken: dict[str, int] = {}  # permits given from buckets that grow, as far as this process knows
        self._answers: dict[str, Answers] = {}  # of buckets that grow, since the fleet was told of them

    def was_told(self, bucket: str) -> bool:
        """Whether a header named the request limit, and nothing has denied it since."""
        estimate = self._of(bucket).estimate
        return estimate is not None and estimate.stage is Stage.TOLD

    async def learn(self, calls: Iterable[tuple[Attempt, float]], taken: Mapping[str, int]) -> None:
        """Write what ended calls tell of their buckets. ``taken``: permits ever given, by bucket.

        With each call come the seconds that it makes its bucket rest.
        """
        groups: dict[str, tuple[Target, list[tuple[Attempt, float]]]] = {}
        for attempt, rest in calls:
            target = self._plans.target(attempt.permit)
            if target is not None and target.bucket in taken and (attempt.limits or target.learns):
                groups.setdefault(target.bucket, (target, []))[1].append((attempt, rest))
        self._taken |= taken
        now_ms = self._scripts.now() * 1000
        for bucket, (target, own) in groups.items():
            self._count_answers(bucket, own, now_ms)
            await self._learn(target, own, taken[bucket], now_ms)

    def _count_answers(self, bucket: str, calls: Calls, now_ms: float) -> None:
        if self.grows(bucket):
            seconds = [call.seconds for call, _ in calls if isinstance(call.outcome, Reply)]
            if seconds:
                answers = self._answers.get(bucket, NO_ANSWERS)
                self._answers[bucket] = answers.plus(len(seconds), min(seconds), now_ms, self._scripts.round_trip)

    async def grow(self, permits: Iterable[Permit]) -> None:
        """Raise rates of which nothing is known, as their permits are used: no answer has to come first."""
        given: dict[str, tuple[Target, int]] = {}
        for permit in permits:
            target = self._plans.target(permit)
            if target is not None and target.learns and self.grows(target.bucket):
                given[target.bucket] = target, given.get(target.bucket, (target, 0))[1] + 1
        now_ms = self._scripts.now() * 1000
        for bucket, (target, count) in given.items():
            self._taken[bucket] = self._taken.get(bucket, 0) + count
            await self._learn(target, (), self._taken[bucket], now_ms)

    def grows(self, bucket: str) -> bool:
        """Whether nobody knows the request limit: no header named one, and no call was refused for it."""
        estimate = self._of(bucket).estimate
        return estimate is None or estimate.stage in UPWARDS

    async def _learn(self, target: Target, calls: Calls, taken: int, now_ms: float) -> None:
        """Compare and set; again where another process wrote meanwhile."""
        for _ in range(CONFLICTS):
            known = self._of(target.bucket)
            answers = self._answers.get(target.bucket, NO_ANSWERS)
            after, fields, level = _observed(known, target, calls, taken, now_ms, answers=answers)
            if not fields and level is None:
                return
            arguments = [known.version, "" if level is None else repr(level), *flat(fields)]
            found = await self._scripts.run_timed("learn", [self._scripts.keys.bucket(target.bucket)], arguments)
            self._known[target.bucket] = _read(found, known) if found else replace(after, version=known.version + 1)
            if not found:
                if calls and answers.are_due(now_ms):
                    self._answers.pop(target.bucket, None)
                return
            taken = self._taken[target.bucket] = self._known[target.bucket].taken  # fewer than ours: Redis was lost

    def _of(self, bucket: str) -> KnownLimits:
        return self._known.get(bucket, KnownLimits())


def _read(texts: Sequence[str], known: KnownLimits) -> KnownLimits:
    """Take what Redis holds."""
    hash_ = unflat(texts)
    try:
        estimate = parse(hash_) or _begun(hash_)
    except (ValueError, KeyError):
        estimate = None  # nobody's: learn it anew
    return KnownLimits(int(hash_.get("learn.version") or 0), estimate, known.told, int(hash_.get("taken") or 0))


def _begun(hash_: Mapping[str, str]) -> RateEstimate:
    """What the gate began with, where nobody has learned anything since."""
    return begin(float(hash_.get("learn.began") or 0), int(hash_.get("learn.began_taken") or 0))


def _observed(
    known: KnownLimits, target: Target, calls: Calls, taken: int, now_ms: float, *, answers: Answers
) -> tuple[KnownLimits, dict[str, str], float | None]:
    """What is known after these calls, the fields of the hash that change, and the level to set; None leaves it."""
    seen = _told(calls)
    limits = {each: limit.per_minute for each, limit in seen.items()}
    fields = _fields(target, limits) if limits and limits != known.told else {}
    estimate, level = known.estimate, None
    if target.learns:
        begun = known.estimate or begin(now_ms, taken)
        estimate, level = _estimated(begun, calls, seen.get(Dimension.REQUESTS), taken, now_ms, answers=answers)
        if estimate is not known.estimate:
            fields |= dump(estimate)
    return KnownLimits(known.version, estimate, limits or known.told), fields, level


def _estimated(
    estimate: RateEstimate, calls: Calls, seen: LimitSeen | None, taken: int, now_ms: float, *, answers: Answers
) -> tuple[RateEstimate, float | None]:
    level = None
    for call, rest in calls:
        if call.fault is not None and call.fault.kind is FaultKind.RATE_LIMITED:
            sent_ms = now_ms - call.seconds * 1000
            estimate, emptied = observe_refusal(
                estimate, now_ms=now_ms, sent_ms=sent_ms, taken=taken, pause_ms=rest * 1000
            )
            level = level if emptied is None else emptied
    if seen is not None:
        sent_ms = now_ms - calls[-1][0].seconds * 1000
        estimate, set_to = observe_limit(estimate, seen, now_ms=now_ms, sent_ms=sent_ms, taken=taken)
        level = level if set_to is None else set_to
    if not calls:
        estimate = observe_use(estimate, now_ms=now_ms, taken=taken)
    elif any(isinstance(call.outcome, Reply) for call, _ in calls):
        estimate = observe_answer(estimate, now_ms=now_ms, taken=taken, answers=answers)
    return estimate, level


def _told(calls: Calls) -> Mapping[Dimension, LimitSeen]:
    """What the latest headers said; limits that are no limits are left out."""
    for call, _ in reversed(calls):
        if call.limits:
            return {each: seen for each, seen in call.limits.items() if seen.per_minute > 0}
    return {}


def _fields(target: Target, limits: Mapping[Dimension, float]) -> dict[str, str]:
    """The hash fields that follow from headers alone: token limits that are not configured, caps on those that are."""
    fields: dict[str, str] = {}
    for each, limit in limits.items():
        told = told_fields(each, per_minute(limit))
        fields |= {f"{each}.told": told[f"{each}.told"]} if each in target.configured else told
    return fields
