"""Figures for Prometheus, computed when it asks. No job's id stands in a label."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from holdfast.api.counters import of_counters
from holdfast.client.fleet import SEVERITY, LaneState, gate_overview, lane_states, severity
from holdfast.client.installation import Installation
from holdfast.config import Settings
from holdfast.lanes import BucketView, Snapshot
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import LIVE, State
from holdfast.model.records import LaneCounts
from holdfast.policy.signals import ScopeKind
from holdfast.store import Store
from holdfast.store.backlog import oldest_queued
from holdfast.store.counters import dead_by_fault, read_counters
from holdfast.store.fleet import list_workers


def exposition(installation: Installation) -> bytes:
    """Write all figures in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PrometheusCollector(installation))
    return generate_latest(registry)


class PrometheusCollector(Collector):
    """With SQL down what SQL knows is left out and ``holdfast_storage_up`` is 0; the same for Redis."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def collect(self) -> Iterator[Metric]:
        overview = gate_overview(self._installation)
        yield gauge("holdfast_redis_up", "Whether Redis answers.", 0.0 if overview.warning else 1.0)
        yield from of_gate(overview.snapshot, routes_of(self._installation.settings))
        try:
            figures = list(of_store(self._installation.ready(), lane_states(self._installation, overview)))
        except StorageUnavailable:
            figures = []
        yield gauge("holdfast_storage_up", "Whether the SQL database answers.", 1.0 if figures else 0.0)
        yield from figures


def of_store(store: Store, states: Sequence[LaneState]) -> Iterator[Metric]:
    """Yield what SQL knows, from running tallies and partial indexes. Raises StorageUnavailable."""
    lanes, counters = [state.lane for state in states], store.read(read_counters)
    yield backlog(lanes)
    yield oldest(lanes, store)
    yield drain_eta(states)
    yield dead(store.read(dead_by_fault, counters))
    yield from of_counters(counters)
    yield gauge("holdfast_workers", "Worker processes with a live lease.", float(len(store.read(list_workers))))


def backlog(lanes: list[LaneCounts]) -> Metric:
    family = GaugeMetricFamily("holdfast_backlog", "Jobs that have not ended.", labels=["lane", "state"])
    for lane in lanes:
        for state in sorted(LIVE):
            family.add_metric([lane.lane, state.value], lane.counts.get(state, 0))
    return family


def oldest(lanes: list[LaneCounts], store: Store) -> Metric:
    """Tell how long the oldest job that may start has waited since its producer made it."""
    family = GaugeMetricFamily(
        "holdfast_oldest_claimable_seconds", "Age of the oldest job that may start now.", labels=["lane"]
    )
    now = store.now()
    for lane in lanes:
        job = store.read(oldest_queued, lane.lane) if lane.counts.get(State.QUEUED) else None
        family.add_metric([lane.lane], max(0.0, now - made_at(job)) if job else 0.0)
    return family


def made_at(job: str) -> float:
    """Read the time out of a UUIDv7, in seconds.

    >>> made_at("01934f2e7b7d7c3f8a1b2c3d4e5f6071")
    1732200266.621
    """
    return int(job[:12], 16) / 1000


def drain_eta(states: Sequence[LaneState]) -> Metric:
    """Tell when each lane will be empty. A lane of which nobody can tell is left out; ``holdfast status`` says why."""
    family = GaugeMetricFamily(
        "holdfast_drain_eta_seconds", "Until nothing of the lane waits or runs, at the pace of now.", labels=["lane"]
    )
    for state in states:
        if state.eta.seconds is not None:
            family.add_metric([state.lane.lane], state.eta.seconds)
    return family


def dead(by_fault: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily("holdfast_dlq", "Dead letters by what they died of.", labels=["reason"])
    for reason, jobs in sorted(by_fault.items()):
        family.add_metric([reason], jobs)
    return family


def routes_of(settings: Settings) -> list[str]:
    return sorted({route.name for plan in settings.models.values() for route in plan.routes})


def of_gate(snapshot: Snapshot, routes: Sequence[str]) -> Iterator[Metric]:
    """Yield what Redis knows. It keeps nothing of a breaker that never had trouble: such a route is closed."""
    states = breakers(snapshot, "holdfast_breaker_state", "route", lambda kind: kind == ScopeKind.ROUTE)
    told = {breaker.scope.partition(":")[2] for breaker in snapshot.breakers}
    for route in routes:
        if route not in told:
            states.add_metric([route], severity("closed"))
    yield states
    yield breakers(snapshot, "holdfast_guard_state", "scope", lambda kind: kind != ScopeKind.ROUTE)
    yield fill(snapshot.buckets)
    flights = GaugeMetricFamily("holdfast_calls_in_flight", "Calls under way.", labels=["route"])
    for route, calls in sorted(snapshot.slots.items()):
        flights.add_metric([route], calls)
    yield flights


def breakers(snapshot: Snapshot, name: str, label: str, wanted: Callable[[str], bool]) -> GaugeMetricFamily:
    words = ", ".join(f"{number} {state}" for state, number in SEVERITY.items())
    family = GaugeMetricFamily(name, f"State of a breaker: {words}.", labels=[label])
    for breaker in snapshot.breakers:
        kind, _, rest = breaker.scope.partition(":")
        if wanted(kind):
            family.add_metric([rest if label == "route" else breaker.scope], severity(breaker.state))
    return family


def fill(buckets: list[BucketView]) -> Metric:
    """Tell how full each bucket is; below 0 it is in debt. ``route`` is provider/group."""
    labels = ["route", "credential", "dimension"]
    family = GaugeMetricFamily("holdfast_bucket_fill_ratio", "Level of a bucket over its capacity.", labels=labels)
    for bucket in buckets:
        provider, _, rest = bucket.name.partition("/")
        credential, _, group = rest.partition(":")
        for dimension, level in bucket.level.items():
            capacity = bucket.capacity[dimension] or 1.0
            family.add_metric([f"{provider}/{group}", credential, dimension.value], level / capacity)
    return family


def gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)
