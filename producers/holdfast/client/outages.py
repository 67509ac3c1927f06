"""Which routes are down, told once for everybody who waits: status, lists, progress, one job's reason to wait."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from holdfast.client.installation import Installation
from holdfast.client.lane_forecast import NO_WORKER, LaneForecast, read_forecast
from holdfast.lanes import BreakerView, Snapshot
from holdfast.lanes.values import RouteFault
from holdfast.model.errors import InvalidRequest, NoUsableKey, QueueUnavailable
from holdfast.model.fault import FaultKind
from holdfast.model.iso_time import iso
from holdfast.model.job import SCHEDULED, State
from holdfast.model.records import JobRecord, LaneCounts
from holdfast.model.route import Plan, Route
from holdfast.policy.diagnosis_words import diagnosis_words
from holdfast.policy.outage_sentence import FaultCount, Outage, outage_sentence
from holdfast.policy.signals import scope_names
from holdfast.store.backlog import avoided_by_heads, list_lanes
from holdfast.store.overrides import OverrideKind, read_override_authors

LATELY = 600.0  # seconds whose faults `status` shows
DOWN = frozenset({"open", "half_open", "forced_open"})
GOOD_KEYS_REFUSED = "provider_authentication"  # the verdict of a diagnosis
HEADS = 500  # queued jobs of a lane that are asked what they must not take, while a route of their plan is down
WAITING = (State.QUEUED, State.DELAYED)


class WaitKind(StrEnum):
    """What jobs wait for, in a word."""

    PAUSED = "paused"  # an operator stopped their lane
    NO_KEY = "no_key"  # no route of their plan has a usable credential
    NO_WORKER = "no_worker"  # no worker runs
    OUTAGE = "outage"  # every route of their plan is down
    TURN = "turn"  # those before them
    RETRY = "retry"  # the delay after a failed call, or a limit
    DATE = "date"  # their own date


@dataclass(frozen=True, slots=True)
class FleetSituation:
    """What keeps jobs waiting at one moment.

    ``lately``: the faults of the last minutes. ``sees_all``: it is told to an operator, and not to one of the tenants,
    who learns nothing of others' jobs and of names. ``diagnoses``: the young ones, by provider.
    """

    installation: Installation
    forecast: LaneForecast
    lanes: Sequence[LaneCounts]
    authors: Mapping[tuple[OverrideKind, str], tuple[str, float]]
    lately: Sequence[RouteFault]
    sees_all: bool
    diagnoses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def outages(self) -> dict[str, Outage]:
        """Return the routes that are down, by name."""
        plans = self.installation.settings.models.values()
        routes = {route.name: route for plan in plans for route in plan.routes}
        found = {name: self._outage(route) for name, route in routes.items() if self.is_down(route)}
        return {name: self._with_jobs(outage) for name, outage in found.items()}

    def why_waiting(self, job: JobRecord) -> str | None:
        """Say why a job waits, also one that was never tried; else what its last call ran into."""
        if job.state is State.DELAYED and job.not_before is not None and job.not_before == job.available_at:
            return f"{SCHEDULED}, at {iso(job.not_before)}"
        return self.why_blocked(job.lane) or job.why_waiting

    def why_blocked(self, lane: str) -> str | None:
        """Say what keeps every job of a lane from starting; None where nothing does."""
        found = self.blocked_by(lane)
        return found and found[1]

    def blocked_by(self, lane: str) -> tuple[WaitKind, str] | None:
        """Tell what keeps every job of a lane from starting, in a word and in a sentence; None where nothing does."""
        if (paused := self.paused_by(lane)) is not None:
            return WaitKind.PAUSED, paused
        model = lane.rpartition(".")[0]
        if reasons := self.installation.usable_keys.reasons(model):
            return WaitKind.NO_KEY, str(NoUsableKey(model, reasons))
        if not self.forecast.has_workers:
            return WaitKind.NO_WORKER, NO_WORKER.why
        plan = self._plan(model)
        if plan is not None and plan.routes and all(self.is_down(route) for route in plan.routes):
            first = plan.routes[0]
            return WaitKind.OUTAGE, outage_sentence(self._with_jobs(self._outage(first))) + self._diagnosed(first)
        return None

    def held_back(self, lane: str) -> list[tuple[str, int]]:
        """Tell why queued jobs do not take the routes that are free: others refused them, and what is left is down.

        Looked at are the first jobs of the lane, which is where such jobs gather. Nothing is read while no route of
        the plan is down. Raises StorageUnavailable.
        """
        plan = self._plan(lane.rpartition(".")[0])
        down = {route.name for route in plan.routes if self.is_down(route)} if plan is not None else set()
        if plan is None or not 0 < len(down) < len(plan.routes):
            return []
        found: Counter[str] = Counter()
        for avoided, jobs in self.installation.ready().read(avoided_by_heads, lane, HEADS).items():
            left = [route for route in plan.routes if route.name not in avoided]
            if left and all(route.name in down for route in left):
                found[self._held_by(left[0], [route.name for route in plan.routes if route.name in avoided])] += jobs
        return found.most_common()

    def _held_by(self, route: Route, refused: Sequence[str]) -> str:
        outage = replace(self._outage(route), elsewhere=(), waiting=None)
        return f"{' and '.join(refused)} cannot take them, and {outage_sentence(outage)}{self._diagnosed(route)}"

    @property
    def refusing_good_keys(self) -> set[str]:
        """Providers of which a diagnosis found that they refuse keys that are not at fault."""
        return {name for name, found in self.diagnoses.items() if found["verdict"] == GOOD_KEYS_REFUSED}

    def _diagnosed(self, route: Route) -> str:
        """Add the verdict of a diagnosis, where one was made minutes ago."""
        found = self.diagnoses.get(route.provider)
        return f"; diagnosed at {_hour(found['at'])}: {diagnosis_words(found['verdict'])}" if found else ""

    def paused_by(self, lane: str) -> str | None:
        """Say who stopped a lane; None where nobody did."""
        actor, at = self.authors.get(("lane", lane), ("", 0.0))
        return paused_by(lane, actor if self.sees_all else "an operator", at) if actor else None

    def is_down(self, route: Route) -> bool:
        """Whether breakers refuse a route with every credential it has, or an operator does."""
        forced = self.forecast.forced.get(route.name)
        if forced is not None:
            return forced == "open"
        return bool(route.credentials) and all(self._troubled(route, name) for name in route.credentials)

    def _outage(self, route: Route) -> Outage:
        troubled = [breaker for name in route.credentials for breaker in self._troubled(route, name)]
        since = min((each.since for each in troubled if each.since is not None), default=None)
        asked = any(each.state == "half_open" for each in troubled)
        if self.forecast.forced.get(route.name) == "open":
            author = self.authors.get(("route", route.name))
            return Outage(route.name, author and author[1], None)
        way = self.forecast.way(route)
        due = not way.shut and not asked  # a breaker whose cool-off is over asks with the next call
        again = 0.0 if due or asked else way.again
        return Outage(route.name, since, again, self._faults(route, since), due=due)

    def _faults(self, route: Route, since: float | None) -> list[FaultCount]:
        """Count what came back from a route, the last first; what this side broke off by itself says nothing of it."""
        age = LATELY if since is None else max(LATELY, self.forecast.now - since)
        found = (each for each in faults_of(self.installation, age) if each.route == route.name)
        told = [each for each in found if each.count.kind != FaultKind.INTERNAL]
        return [each.count for each in sorted(told, key=lambda each: not each.is_last)]

    def _with_jobs(self, outage: Outage) -> Outage:
        """Add how many jobs only this route's return can start, or the routes that take its jobs meanwhile."""
        plans = [plan for plan in self.installation.settings.models.values() if plan.route(outage.route)]
        others = [route for plan in plans for route in plan.routes if route.name != outage.route]
        free = tuple(dict.fromkeys(route.name for route in others if not self.is_down(route)))
        stuck = [plan.model for plan in plans if all(self.is_down(route) for route in plan.routes)]
        waiting = sum(
            lane.counts.get(state, 0)
            for lane in self.lanes
            for state in WAITING
            if lane.lane.rpartition(".")[0] in {*stuck, outage.route}
        )
        return replace(outage, elsewhere=() if stuck else free, waiting=waiting if self.sees_all else None)

    def _troubled(self, route: Route, credential: str) -> list[BreakerView]:
        scopes = set(scope_names(route.provider, route.model, credential).values())
        return [each for each in self.forecast.snapshot.breakers if each.scope in scopes and each.state in DOWN]

    def _plan(self, model: str) -> Plan | None:
        try:
            return self.installation.settings.plan(model)
        except InvalidRequest:
            return None


def read_situation(
    installation: Installation, snapshot: Snapshot, warning: str | None, *, sees_all: bool
) -> FleetSituation:
    """Read what outages are told from. Raises StorageUnavailable."""
    store = installation.ready()
    return FleetSituation(
        installation=installation,
        forecast=read_forecast(store, installation.settings, snapshot, warning),
        lanes=store.read(list_lanes),
        authors=store.read(read_override_authors),
        lately=[] if warning is not None else faults_of(installation, LATELY),
        sees_all=sees_all,
        diagnoses={} if warning is not None else diagnoses_of(installation),
    )


def diagnoses_of(installation: Installation) -> Mapping[str, Mapping[str, Any]]:
    """Return the diagnoses of the last minutes, by provider; none where Redis does not answer."""
    from holdfast.lanes.diagnoses import read_diagnoses  # noqa: PLC0415 - who looks at an ended job needs no Redis

    try:
        return read_diagnoses(installation.redis.lanes().connection, time.time())
    except QueueUnavailable:
        return {}


def faults_of(installation: Installation, seconds: float) -> list[RouteFault]:
    """List the faults of late; empty where Redis does not answer."""
    from holdfast.lanes.recent_faults import recent_faults  # noqa: PLC0415 - who looks at an ended job needs no Redis

    try:
        return recent_faults(installation.redis.lanes().connection, seconds)
    except QueueUnavailable:
        return []


def paused_by(lane: str, actor: str, at: float) -> str:
    """Say who stopped a lane.

    >>> paused_by("smart.batch", "cli:eva", 1_790_000_000.0)
    'lane smart.batch was paused by cli:eva at 14:13 UTC; `holdfast lane resume smart.batch` lets it go on'
    """
    return f"lane {lane} was paused by {actor} at {_hour(at)}; `holdfast lane resume {lane}` lets it go on"


def _hour(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"
