"""When each lane will be empty, from what SQL and Redis already keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.config import Settings
from holdfast.lanes import BreakerView, BucketView, Snapshot
from holdfast.model.call_result import Dimension
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import LIVE
from holdfast.model.records import LaneCounts
from holdfast.model.route import Route
from holdfast.policy.eta import LOOK_BACK, Eta, RouteCapacity, eta
from holdfast.policy.signals import scope_names
from holdfast.store import Store
from holdfast.store.backlog import count_scheduled
from holdfast.store.counters import read_pace
from holdfast.store.fleet import list_workers
from holdfast.store.overrides import read_overrides

PAUSED = Eta(None, "an operator paused it")
NO_WORKER = Eta(None, "no worker runs: start one with `holdfast up` or `holdfast worker`")
UNKNOWN_MODEL = Eta(None, "no plan is configured for its model")


@dataclass(frozen=True, slots=True)
class LaneForecast:
    """The fleet at one moment. ``warning`` says why ``snapshot`` is empty; ``forced``: overrides of routes.
    ``scheduled``: jobs by lane that may not start yet, which nobody drains.
    """

    settings: Settings
    snapshot: Snapshot
    warning: str | None
    paces: Mapping[str, list[tuple[float, int]]]
    forced: Mapping[str, str]
    has_workers: bool
    now: float
    scheduled: Mapping[str, int] = field(default_factory=dict)

    def of(self, lane: LaneCounts) -> Eta:
        """Estimate when ``lane`` will be empty. Lanes that share routes are each taken as if they were alone."""
        left = sum(lane.counts.get(state, 0) for state in LIVE) - self.scheduled.get(lane.lane, 0)
        if left <= 0:
            later = self.scheduled.get(lane.lane, 0)
            return Eta(0.0, f"nothing waits but {later:,} for a later start") if later else eta(0, [], [], self.now)
        if lane.paused:
            return PAUSED
        if self.warning is not None:
            return Eta(None, "Redis does not answer")
        if not self.has_workers:
            return NO_WORKER
        try:
            plan = self.settings.plan(lane.lane.rpartition(".")[0])
        except InvalidRequest:
            return UNKNOWN_MODEL
        return eta(left, self.paces.get(lane.lane, []), [self.way(route) for route in plan.routes], self.now)

    def way(self, route: Route) -> RouteCapacity:
        """Sum up a route: it is shut when it is so with every credential it has."""
        match self.forced.get(route.name):
            case "open":
                return RouteCapacity(route.name, shut=True)
            case "closed":
                return RouteCapacity(route.name, per_second=self._allowed(route))
        waits = [self._wait(route, credential) for credential in route.credentials]
        if not waits or 0.0 in waits:
            return RouteCapacity(route.name, shut=not waits, per_second=self._allowed(route))
        return RouteCapacity(
            route.name, shut=True, again=min((wait for wait in waits if wait is not None), default=None)
        )

    def _wait(self, route: Route, credential: str) -> float | None:
        """Seconds until the route may be called with ``credential``; 0 now; None when only an operator can tell."""
        scopes = set(scope_names(route.provider, route.model, credential).values())
        waits = [_shut_for(breaker) for breaker in self.snapshot.breakers if breaker.scope in scopes]
        waits += [bucket.paused_for for bucket in self._buckets(route, credential)]
        known = [wait for wait in waits if wait is not None]
        return None if len(known) < len(waits) else max(known, default=0.0)

    def _allowed(self, route: Route) -> float | None:
        """Calls a second that a route's limits allow over all credentials: as the gate keeps them, else configured."""
        total = 0.0
        for credential in route.credentials:
            kept = [bucket.rate.get(Dimension.REQUESTS) for bucket in self._buckets(route, credential)]
            configured = route.limits.requests_per_minute
            rate = kept[0] if kept else None if configured is None else configured / 60
            if rate is None:
                return None
            total += rate
        return total

    def _buckets(self, route: Route, credential: str) -> list[BucketView]:
        name = f"{route.provider}/{credential}:{route.group}"
        return [bucket for bucket in self.snapshot.buckets if bucket.name == name]


def _shut_for(breaker: BreakerView) -> float | None:
    match breaker.state:
        case "closed" | "disabled":
            return 0.0
        case "open" | "half_open":
            return breaker.retry_in or 0.0
        case _:
            return None


def read_forecast(store: Store, settings: Settings, snapshot: Snapshot, warning: str | None) -> LaneForecast:
    """Read what estimates for all lanes need. Raises StorageUnavailable."""
    return LaneForecast(
        settings=settings,
        snapshot=snapshot,
        warning=warning,
        paces=store.read(read_pace, LOOK_BACK),
        forced={name: value for (kind, name), value in store.read(read_overrides).items() if kind == "route"},
        has_workers=bool(store.read(list_workers)),
        now=store.now(),
        scheduled=store.read(count_scheduled),
    )
