"""Figures for Prometheus, computed when it asks. No job's id stands in a label."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from holdfast.api.counters import of_counters
from holdfast.client.fleet import SEVERITY, GateOverview, LaneState, gate_overview, lane_states, severity
from holdfast.client.installation import Installation
from holdfast.client.outages import read_situation
from holdfast.client.overview import DELAYED, count_waiting
from holdfast.config import Settings
from holdfast.lanes import BucketView, Snapshot
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import LIVE, State
from holdfast.policy.signals import ScopeKind
from holdfast.store import Store
from holdfast.store.backlog import delayed_reasons, oldest_wait
from holdfast.store.counters import dead_by_fault, read_counters
from holdfast.store.fleet import list_workers

Sample = tuple[Sequence[str], float]  # the values of a metric's labels, and its own


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
            figures.append(self._waiting(overview))
        except StorageUnavailable:
            figures = []
        yield gauge("holdfast_storage_up", "Whether the SQL database answers.", 1.0 if figures else 0.0)
        yield from figures

    def _waiting(self, overview: GateOverview) -> Metric:
        store = self._installation.ready()
        situation = read_situation(self._installation, overview.snapshot, overview.warning, sees_all=True)
        counted = count_waiting(situation, store.read(delayed_reasons, DELAYED))
        samples = (((lane, kind.value), float(jobs)) for (lane, kind), jobs in counted.items())
        return gauges("holdfast_waiting_jobs", "Jobs that wait, by what for.", ("lane", "reason"), samples)


def of_store(store: Store, states: Sequence[LaneState]) -> Iterator[Metric]:
    """Yield what SQL knows, from running tallies and partial indexes. Raises StorageUnavailable."""
    counters = store.read(read_counters)
    yield gauges("holdfast_backlog", "Jobs that have not ended.", ("lane", "state"), backlog(states))
    text = "Age of the oldest job that may start now."
    yield gauges("holdfast_oldest_claimable_seconds", text, ("lane",), oldest(states, store))
    text = "Until nothing of the lane waits or runs, at the pace of now."
    yield gauges("holdfast_drain_eta_seconds", text, ("lane",), drain_eta(states))
    dead = sorted(store.read(dead_by_fault, counters).items())
    yield gauges("holdfast_dlq", "Dead letters by what they died of.", ("reason",), by_label(dead))
    yield from of_counters(counters)
    yield gauge("holdfast_workers", "Worker processes with a live lease.", float(len(store.read(list_workers))))


def backlog(states: Sequence[LaneState]) -> Iterator[Sample]:
    for each in states:
        for state in sorted(LIVE):
            yield (each.lane.lane, state.value), each.lane.counts.get(state, 0)


def oldest(states: Sequence[LaneState], store: Store) -> Iterator[Sample]:
    """Tell for how long the oldest job that may start could have done so."""
    for each in states:
        yield (each.lane.lane,), store.read(oldest_wait, each.lane.lane) if each.lane.counts.get(State.QUEUED) else 0.0


def drain_eta(states: Sequence[LaneState]) -> Iterator[Sample]:
    """Tell when each lane will be empty. A lane of which nobody can tell is left out; ``holdfast status`` says why."""
    for each in states:
        if each.eta.seconds is not None:
            yield (each.lane.lane,), each.eta.seconds


def routes_of(settings: Settings) -> list[str]:
    return sorted({route.name for plan in settings.models.values() for route in plan.routes})


def of_gate(snapshot: Snapshot, routes: Sequence[str]) -> Iterator[Metric]:
    """Yield what Redis knows. It keeps nothing of a breaker that never had trouble: such a route is closed."""
    told = [(*breaker.scope.partition(":")[::2], breaker) for breaker in snapshot.breakers]
    known = [(rest, severity(breaker.state)) for kind, rest, breaker in told if kind == ScopeKind.ROUTE]
    closed = [(route, severity("closed")) for route in routes if route not in {rest for _, rest, _ in told}]
    guards = [(breaker.scope, severity(breaker.state)) for kind, _, breaker in told if kind != ScopeKind.ROUTE]
    text = f"State of a breaker: {', '.join(f'{number} {state}' for state, number in SEVERITY.items())}."
    yield gauges("holdfast_breaker_state", text, ("route",), by_label([*known, *closed]))
    yield gauges("holdfast_guard_state", text, ("scope",), by_label(guards))
    labels = ("route", "credential", "dimension")
    yield gauges("holdfast_bucket_fill_ratio", "Level of a bucket over its capacity.", labels, fill(snapshot.buckets))
    yield gauges("holdfast_calls_in_flight", "Calls under way.", ("route",), by_label(sorted(snapshot.slots.items())))


def fill(buckets: Sequence[BucketView]) -> Iterator[Sample]:
    """Tell how full each bucket is; below 0 it is in debt. ``route`` is provider/group."""
    for bucket in buckets:
        provider, _, rest = bucket.name.partition("/")
        credential, _, group = rest.partition(":")
        for dimension, level in bucket.level.items():
            yield (f"{provider}/{group}", credential, dimension.value), level / (bucket.capacity[dimension] or 1.0)


def by_label(values: Iterable[tuple[str, float]]) -> Iterator[Sample]:
    return (((label,), value) for label, value in values)


def gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def gauges(name: str, documentation: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
