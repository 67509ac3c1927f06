"""The state of lanes, routes and Redis at one moment, as SQL, the gate and the configuration know it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from holdfast.client.installation import Installation
from holdfast.client.lane_forecast import read_forecast
from holdfast.client.route_limits import RouteLimit, route_limits
from holdfast.config import Settings
from holdfast.lanes import BreakerView, BucketView, Snapshot
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import FaultKind
from holdfast.model.records import LaneCounts
from holdfast.model.route import Route
from holdfast.policy.credential_alerts import Alert, alerts
from holdfast.policy.eta import Eta
from holdfast.policy.learned_limit import LearnedLimit
from holdfast.policy.signals import scope_names
from holdfast.store.backlog import list_lanes
from holdfast.store.counters import Counters
from holdfast.store.learned_limits import read_limits
from holdfast.store.overrides import read_overrides

FORCED: Mapping[str, str] = {"open": "forced_open", "closed": "disabled"}
SEVERITY: Mapping[str, int] = {"disabled": 0, "closed": 0, "half_open": 1, "open": 2, "forced_open": 3}


def severity(state: str) -> int:
    """Return a breaker state's place in SEVERITY; 0 for a state of a newer version."""
    return SEVERITY.get(state, 0)


@dataclass(frozen=True, slots=True)
class GateOverview:
    """The gate at one moment; ``warning`` says why ``snapshot`` is empty."""

    snapshot: Snapshot = field(default_factory=lambda: Snapshot([], [], {}))
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    """``window``: ids that lie ready in Redis; None when it does not answer. ``eta``: when it will be empty."""

    lane: LaneCounts
    window: int | None
    eta: Eta


@dataclass(frozen=True, slots=True)
class RouteState:
    """A configured route and what the gate keeps of it; without Redis only the route and the override are known."""

    route: Route
    models: tuple[str, ...]  # aliases whose plan it stands in
    override: str | None = None
    breakers: tuple[BreakerView, ...] = ()
    buckets: tuple[BucketView, ...] = ()
    in_flight: int | None = None
    limits: tuple[RouteLimit, ...] = ()

    @property
    def state(self) -> str:
        """What the operator forced, or the worst state of the breakers in the way; closed where none heard a fault."""
        if self.override is not None:
            return FORCED[self.override]
        return max((breaker.state for breaker in self.breakers), key=severity, default="closed")


def gate_overview(installation: Installation) -> GateOverview:
    """Read what Redis keeps of breakers, buckets and calls in flight."""
    try:
        return GateOverview(installation.redis.lanes().snapshot())
    except QueueUnavailable as error:
        return GateOverview(warning=str(error))


def redis_url(installation: Installation) -> str | None:
    """Say where Redis is, without a password; None where the embedded server does not run."""
    try:
        return installation.redis.url()
    except QueueUnavailable:
        return None


def redis_warning(installation: Installation) -> str | None:
    """Say in words what is wrong with Redis; None where all is well."""
    try:
        return " ".join(installation.redis.lanes().redis_health()) or None
    except QueueUnavailable as error:
        return str(error)


def credential_alerts(
    installation: Installation, overview: GateOverview, refusing: Collection[str] = ()
) -> list[Alert]:
    """Say which credentials have been refused for long; without Redis nothing is known of them.

    ``refusing``: providers of which a diagnosis found that they refuse keys that are not at fault.
    """
    providers = installation.settings.providers.values()
    names = [f"{provider.name}/{each.name}" for provider in providers for each in provider.credentials]
    try:
        return alerts(installation.redis.lanes().parked(names), refusing) if overview.warning is None else []
    except QueueUnavailable:
        return []


def exception_alerts(counters: Counters) -> list[Alert]:
    """Say how many dead letters there are on which Holdfast itself broke."""
    dead = counters.of("dead").get((FaultKind.INTERNAL,), 0)
    text = (
        f"Holdfast itself broke on {dead} jobs, which are dead letters of fault {FaultKind.INTERNAL}. Their call logs "
        "and the event attempt_broke of the workers' logs say where. Report it; replay them when it is mended."
    )
    return [Alert("exceptions", "holdfast", 0.0, text)] if dead > 0 else []


def lane_states(installation: Installation, overview: GateOverview) -> list[LaneState]:
    """List every lane that ever had a job. An ``overview`` that found Redis away spares asking it again."""
    store, settings = installation.ready(), installation.settings
    forecast = read_forecast(store, settings, overview.snapshot, overview.warning)
    windows = None if overview.warning else _windows(installation)
    return [
        LaneState(lane, None if windows is None else windows.get(lane.lane, 0), forecast.of(lane))
        for lane in store.read(list_lanes)
    ]


def _windows(installation: Installation) -> Mapping[str, int] | None:
    try:
        return installation.redis.lanes().lengths()
    except QueueUnavailable:
        return None


def route_states(installation: Installation, overview: GateOverview) -> list[RouteState]:
    """List every configured route with its state."""
    store = installation.ready()
    overrides, kept = store.read(read_overrides), store.read(read_limits)
    return [
        _route_state(route, models, overrides.get(("route", route.name)), overview, kept)
        for route, models in _configured_routes(installation.settings)
    ]


def _configured_routes(settings: Settings) -> Iterable[tuple[Route, tuple[str, ...]]]:
    """List the routes of all plans, each with the aliases it serves."""
    found: dict[str, tuple[Route, tuple[str, ...]]] = {}
    for alias, plan in settings.models.items():
        for route in plan.routes:
            first, models = found.get(route.name, (route, ()))
            found[route.name] = (first, (*models, alias))
    return found.values()


def _route_state(
    route: Route,
    models: tuple[str, ...],
    override: str | None,
    overview: GateOverview,
    kept: Mapping[str, LearnedLimit],
) -> RouteState:
    snapshot = overview.snapshot
    scopes = {scope for name in route.credentials for scope in scope_names(route.provider, route.model, name).values()}
    buckets = {f"{route.provider}/{name}:{route.group}" for name in route.credentials}
    return RouteState(
        route=route,
        models=models,
        override=override,
        breakers=tuple(breaker for breaker in snapshot.breakers if breaker.scope in scopes),
        buckets=tuple(bucket for bucket in snapshot.buckets if bucket.name in buckets),
        in_flight=None if overview.warning else snapshot.slots.get(route.name, 0),
        limits=route_limits(route, {bucket.name: bucket for bucket in snapshot.buckets}, kept),
    )
