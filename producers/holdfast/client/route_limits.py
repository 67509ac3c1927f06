"""The request limit that each credential of a route keeps to, and where it is from."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.lanes import BucketView
from holdfast.model.call_result import Dimension
from holdfast.model.durations import lasting
from holdfast.model.route import Route
from holdfast.policy.learned_limit import LearnedLimit, LimitSource

WORDS: Mapping[LimitSource | None, str] = {
    LimitSource.CONFIGURATION: "configured",
    LimitSource.HEADERS: "told by headers",
    LimitSource.REFUSALS: "learned from refusals",
    LimitSource.EARLIER_RUN: "learned in an earlier run",
    LimitSource.USE: "not refused so far, and growing",
    None: "unknown: learned from the first calls",
}


@dataclass(frozen=True, slots=True)
class RouteLimit:
    """``per_minute``: requests; None where nothing is known. ``age``: seconds since an earlier run used that limit."""

    credential: str
    per_minute: float | None = None
    source: LimitSource | None = None
    age: float | None = None

    @property
    def words(self) -> str:
        """Say it in one line.

        >>> RouteLimit("main", 24_000.4, LimitSource.REFUSALS).words
        '24,000/min, learned from refusals'
        """
        known = "" if self.per_minute is None else f"{self.per_minute:,.0f}/min, "
        ago = "" if self.age is None else f", {lasting(self.age)} ago"
        return known + WORDS[self.source] + ago


def route_limits(
    route: Route, buckets: Mapping[str, BucketView], kept: Mapping[str, LearnedLimit]
) -> tuple[RouteLimit, ...]:
    """Return a limit for each credential: what the gate goes by, else what SQL has ``kept`` of an earlier run."""
    names = {credential: f"{route.provider}/{credential}:{route.group}" for credential in route.credentials}
    return tuple(_limit(route, credential, buckets.get(name), kept.get(name)) for credential, name in names.items())


def _limit(route: Route, credential: str, bucket: BucketView | None, kept: LearnedLimit | None) -> RouteLimit:
    if configured := route.limits.requests_per_minute:
        return RouteLimit(credential, configured, LimitSource.CONFIGURATION)
    age = kept.age if kept else None
    if bucket is not None and bucket.source is not None and Dimension.REQUESTS in bucket.rate:
        earlier = bucket.source is LimitSource.EARLIER_RUN
        return RouteLimit(credential, bucket.rate[Dimension.REQUESTS] * 60, bucket.source, age if earlier else None)
    if kept is not None and kept.stage is not None:
        return RouteLimit(credential, kept.per_minute, LimitSource.EARLIER_RUN, age)
    return RouteLimit(credential)
