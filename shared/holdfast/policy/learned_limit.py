"""What was learned of a bucket's limits, as SQL keeps it from one run to the next, and what it is worth after a while.

Half of what is known, measured in doublings of the rate, is forgotten in HALF_LIFE:

    rate(age) = START * (kept / START) ** 0.5 ** (age / HALF_LIFE)

so that 3,200 requests a second are 3,200 after an hour, 800 after a week, and nearly the 200 of a limit that nobody
knows after a month. Limits of tokens that headers told count for KEEP_TOLD, and not at all after that: where headers
tell them, the first answer does so again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from holdfast.model.call_result import Dimension
from holdfast.policy.rate_estimate import START_PER_MS, RateEstimate, Stage, restore
from holdfast.policy.rate_estimate_codec import dump
from holdfast.policy.rate_limit import RATE_USED, Allowance, per_minute

HALF_LIFE = 7 * 86_400.0  # seconds
KEEP_TOLD = 86_400.0  # seconds
NEWS = 0.05  # of a rate: a smaller change is not worth a write
REFRESH = 3_600.0  # seconds after which the same knowledge is written again, for its age alone


class LimitSource(StrEnum):
    """Where a request limit is from that the pool keeps to."""

    CONFIGURATION = "configuration"
    HEADERS = "headers"
    REFUSALS = "refusals"
    EARLIER_RUN = "earlier_run"
    USE = "use"
    """Nobody knows it: so much was sent and not refused that this may be tried."""


@dataclass(frozen=True, slots=True)
class LearnedLimit:
    """What is known of one bucket, a credential and model group, named as ``Target.bucket`` is.

    ``stage``: how its request limit was found; None where the configuration names it. ``per_minute``: the requests that
    were used, at most; ``burst``: those at once. ``told``: units per minute that headers named, by dimension. ``age``:
    seconds since the bucket was last used.
    """

    bucket: str
    stage: Stage | None = None
    per_minute: float = 0.0
    burst: float = 1.0
    told: Mapping[Dimension, float] = field(default_factory=dict)
    age: float = 0.0


def aged_rate(limit: LearnedLimit) -> float:
    """Return the requests a millisecond that a kept limit still speaks for.

    >>> kept = LearnedLimit("a/main:m", Stage.LEARNED, per_minute=3_200 * 60)
    >>> from dataclasses import replace
    >>> [round(1_000 * aged_rate(replace(kept, age=days * 86_400))) for days in (0, 7, 14, 365)]
    [3200, 800, 400, 200]
    """
    weight = 0.5 ** (max(0.0, limit.age) / HALF_LIFE)
    return float(START_PER_MS * (limit.per_minute / 60_000 / START_PER_MS) ** weight)


def restored(limit: LearnedLimit, now_ms: float) -> RateEstimate | None:
    """Return what a run that begins now believes of the request limit; None: nothing that is worth anything."""
    if limit.stage is None or limit.per_minute <= 0:
        return None
    per_ms = aged_rate(limit)
    share = per_ms * 60_000 / limit.per_minute
    told = limit.stage is Stage.TOLD and limit.age < KEEP_TOLD
    return restore(Allowance(per_ms, limit.burst * share), now_ms, told=told, met=limit.stage is not Stage.GROWING)


def restored_fields(limit: LearnedLimit, now_ms: float) -> dict[str, str]:
    """Return the fields of the bucket's hash that a run begins with; none where nothing is worth anything any more."""
    estimate = restored(limit, now_ms)
    level = {"requests.level": "1.0", "requests.at": repr(now_ms)}  # the provider's bucket may not be full
    fields = {} if estimate is None else dump(estimate) | level
    if limit.age < KEEP_TOLD:
        for each, units in limit.told.items():
            fields |= told_fields(each, per_minute(units / RATE_USED))
    return fields


def told_fields(dimension: Dimension, allowance: Allowance) -> dict[str, str]:
    """Return the fields that a header's limit makes: a cap on what is configured, and the allowance where nothing is.

    The allowance of requests is the learner's to set.
    """
    cap = {f"{dimension}.told": repr(allowance.per_ms)}
    if dimension is Dimension.REQUESTS:
        return cap
    return cap | {f"{dimension}.per_ms": repr(allowance.per_ms), f"{dimension}.capacity": repr(allowance.capacity)}


def source_of(estimate: RateEstimate) -> LimitSource:
    """Return where what is believed of a request limit is from."""
    match estimate.stage:
        case Stage.TOLD:
            return LimitSource.HEADERS
        case Stage.GROWING:
            return LimitSource.USE
        case Stage.RESTORED:
            return LimitSource.EARLIER_RUN
        case _:
            return LimitSource.REFUSALS if estimate.refused else LimitSource.EARLIER_RUN


def to_keep(known: LearnedLimit | None, found: LearnedLimit) -> LearnedLimit | None:
    """Return what SQL is to hold of a bucket instead of ``known``; None: that still does.

    A rate that nobody refused says nothing against one that an earlier run got further with.
    """
    if known is not None and found.stage is Stage.GROWING and found.per_minute <= known.per_minute:
        found = replace(known, told=found.told)
    return found if known is None or _differs(known, found) else None


def _differs(known: LearnedLimit, found: LearnedLimit) -> bool:
    if known.stage is not found.stage or known.told != found.told:
        return True
    return abs(found.per_minute - known.per_minute) > NEWS * known.per_minute or known.age - found.age > REFRESH
