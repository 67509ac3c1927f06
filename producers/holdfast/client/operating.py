"""What an operator does and sees: lanes, routes, dead letters, the state of everything. Used by the API and the CLI.

Every act is written to SQL first, where it stays; Redis is told as well, and workers tell it again after it was lost.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from holdfast.client.lane_forecast import read_forecast
from holdfast.client.local import LocalBackend
from holdfast.client.owned import narrowed
from holdfast.config import crash_point
from holdfast.lanes import BreakerView, BucketView, Snapshot
from holdfast.model.errors import InvalidRequest, NotFound, QueueUnavailable
from holdfast.model.job import Priority
from holdfast.model.records import JobDetail, JobFilter, LaneCounts, WorkerRecord
from holdfast.model.route import Route
from holdfast.policy.credential_alerts import Alert, alerts
from holdfast.policy.eta import Eta
from holdfast.policy.signals import scope_names
from holdfast.store.backlog import list_lanes
from holdfast.store.counters import read_counters
from holdfast.store.dead_letters import drop, replay
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import find_detail, list_jobs
from holdfast.store.overrides import read_overrides, set_override

PAGE = 500  # dead letters in one transaction
LONGEST_NAME = 400  # characters of a lane or a route
Force = Literal["open", "closed"]


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

    @property
    def state(self) -> str:
        """What the operator forced, or the worst state of the breakers in the way; closed where none heard a fault."""
        if self.override is not None:
            return FORCED[self.override]
        return max((breaker.state for breaker in self.breakers), key=severity, default="closed")


FORCED: Mapping[str, str] = {"open": "forced_open", "closed": "disabled"}
SEVERITY: Mapping[str, int] = {"disabled": 0, "closed": 0, "half_open": 1, "open": 2, "forced_open": 3}


def severity(state: str) -> int:
    return SEVERITY.get(state, 0)


@dataclass(frozen=True, slots=True)
class Overview:
    """The gate at one moment; ``warning`` says why ``snapshot`` is empty."""

    snapshot: Snapshot = field(default_factory=lambda: Snapshot([], [], {}))
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of everything. ``redis_url`` is None where the embedded server does not run.

    ``alerts`` tell of credentials and logins that have been down for so long that a person should know.
    ``unknown_codes`` counts, by provider and code, answers that no table of ours knows.
    """

    database_url: str
    redis_url: str | None
    workers: list[WorkerRecord]
    lanes: list[LaneState]
    routes: list[RouteState]
    warning: str | None
    alerts: list[Alert] = field(default_factory=list)
    unknown_codes: Mapping[tuple[str, ...], int] = field(default_factory=dict)


class Operator:
    """``actor`` is written in the audit book beside every act. ``tenant`` narrows what is done to dead letters."""

    def __init__(self, storage: LocalBackend, actor: str, tenant: str | None = None) -> None:
        self.storage, self.actor, self.tenant = storage, actor, tenant

    def status(self) -> Status:
        """Look at storage, workers, lanes and routes. What Redis alone knows is left out where it does not answer."""
        store, overview = self.storage.ready(), self.overview()
        warning = overview.warning or self.redis_warning()
        try:
            redis_url = self.storage.redis.url()
        except QueueUnavailable:
            redis_url = None
        workers, lanes, routes = store.read(list_workers), self.lanes(overview), self.routes(overview)
        codes = store.read(read_counters).of("unknown_codes")
        return Status(store.url, redis_url, workers, lanes, routes, warning, self.alerts(overview), codes)

    def alerts(self, overview: Overview) -> list[Alert]:
        """Say what is wrong with logins; without Redis nothing is known of them."""
        providers = self.storage.settings.providers.values()
        names = [f"{provider.name}/{each.name}" for provider in providers for each in provider.credentials]
        try:
            return alerts(self.storage.redis.lanes().parked(names)) if overview.warning is None else []
        except QueueUnavailable:
            return []

    def redis_warning(self) -> str | None:
        """Say in words what is wrong with Redis; None where all is well."""
        try:
            return " ".join(self.storage.redis.lanes().redis_health()) or None
        except QueueUnavailable as error:
            return str(error)

    # Lanes

    def lanes(self, overview: Overview | None = None) -> list[LaneState]:
        """List every lane that ever had a job. An ``overview`` that found Redis away spares asking it again."""
        overview = overview or self.overview()
        lengths = self.lengths() if overview.warning is None else None
        drain = read_forecast(self.storage, overview.snapshot, overview.warning)
        windows = {} if lengths is None else lengths
        return [
            LaneState(lane, None if lengths is None else windows.get(lane.lane, 0), drain.of(lane))
            for lane in self.storage.ready().read(list_lanes)
        ]

    def lengths(self) -> Mapping[str, int] | None:
        try:
            return self.storage.redis.lanes().lengths()
        except QueueUnavailable:
            return None

    def pause(self, lane: str, *, paused: bool) -> bool:
        """Stop starting jobs of a lane, or start again. False: Redis does not answer and hears of it later."""
        self.check_lane(lane)
        self.storage.ready().write(set_override, "lane", lane, "paused" if paused else None, self.actor)
        try:
            self.storage.redis.lanes().set_paused(lane, paused)
        except QueueUnavailable:
            return False
        return True

    def check_lane(self, lane: str) -> None:
        """Refuse a name that is no lane. Raises NotFound."""
        refuse_unnameable("lane", lane)
        model, _, priority = lane.rpartition(".")
        if any(lane == known.lane for known in self.storage.ready().read(list_lanes)):
            return
        try:
            self.storage.settings.plan(model)
            Priority(priority)
        except (InvalidRequest, ValueError):
            raise NotFound("lane", lane) from None

    # Routes

    def overview(self) -> Overview:
        try:
            return Overview(self.storage.redis.lanes().snapshot())
        except QueueUnavailable as error:
            return Overview(warning=str(error))

    def routes(self, overview: Overview | None = None) -> list[RouteState]:
        """List every configured route with its state."""
        overview = overview or self.overview()
        overrides = self.storage.ready().read(read_overrides)
        return [
            self._route(route, models, overrides.get(("route", route.name)), overview)
            for route, models in self.configured().values()
        ]

    def configured(self) -> dict[str, tuple[Route, tuple[str, ...]]]:
        """List the routes of all plans by name, each with the aliases it serves."""
        found: dict[str, tuple[Route, tuple[str, ...]]] = {}
        for alias, plan in self.storage.settings.models.items():
            for route in plan.routes:
                first, models = found.get(route.name, (route, ()))
                found[route.name] = (first, (*models, alias))
        return found

    def _route(self, route: Route, models: tuple[str, ...], override: str | None, overview: Overview) -> RouteState:
        snapshot = overview.snapshot
        scopes = {
            scope for name in route.credentials for scope in scope_names(route.provider, route.model, name).values()
        }
        buckets = {f"{route.provider}/{name}:{route.group}" for name in route.credentials}
        return RouteState(
            route=route,
            models=models,
            override=override,
            breakers=tuple(breaker for breaker in snapshot.breakers if breaker.scope in scopes),
            buckets=tuple(bucket for bucket in snapshot.buckets if bucket.name in buckets),
            in_flight=None if overview.warning else snapshot.slots.get(route.name, 0),
        )

    def force(self, route: str, want: Force | None) -> bool:
        """Let no call take a route (open), let every call (closed), or None: let its breaker decide again.

        False: Redis does not answer and hears of it later. Raises NotFound.
        """
        self.check_route(route)
        self.storage.ready().write(set_override, "route", route, want, self.actor)
        try:
            self.storage.redis.lanes().force(route, want)
        except QueueUnavailable:
            return False
        return True

    def reset(self, route: str) -> bool:
        """Lift an override and forget what breakers and pauses hold against a route. Raises NotFound."""
        self.check_route(route)
        self.storage.ready().write(set_override, "route", route, None, self.actor)
        try:
            self.storage.redis.lanes().reset(route)
        except QueueUnavailable:
            return False
        return True

    def check_route(self, route: str) -> None:
        refuse_unnameable("route", route)
        try:
            self.storage.settings.plan(route)
        except InvalidRequest:
            raise NotFound("route", route) from None

    # Dead letters

    def replay(self, where: JobFilter, limit: int, per_minute: float | None) -> int:
        store = self.storage.ready()
        crash_point("before_replay")
        moved = store.write(replay, narrowed(where, self.tenant), limit, per_minute, self.actor)
        crash_point("after_replay")
        return moved

    def drop(self, where: JobFilter, limit: int) -> int:
        """Remove dead letters, page by page."""
        store, dropped, where = self.storage.ready(), 0, narrowed(where, self.tenant)
        while dropped < limit and (page := store.write(drop, where, min(PAGE, limit - dropped), self.actor)):
            dropped += page
        return dropped

    def drain(self, where: JobFilter, limit: int, to: Path) -> int:
        """Write dead letters to a new file, one JSON object a line, and remove each page once it is on the disk."""
        from holdfast.client.dead_letter_line import dead_letter_line  # noqa: PLC0415 - only drains need it

        drained, where = 0, narrowed(where, self.tenant)
        to.touch(mode=0o600, exist_ok=False)  # it will hold prompts
        with to.open("wb") as file:
            for page in self.letters(where, limit):
                file.write(b"".join(dead_letter_line(detail) for detail in page))
                file.flush()
                os.fsync(file.fileno())
                ids = tuple(detail.job.id for detail in page)
                drained += self.storage.ready().write(drop, replace(where, ids=ids), len(ids), self.actor)
        return drained

    def letters(self, where: JobFilter, limit: int) -> Iterator[list[JobDetail]]:
        """Read dead letters in full, newest first, a page at a time."""
        store, cursor, left, where = self.storage.ready(), None, limit, narrowed(where, self.tenant)
        while left and (jobs := store.read(list_jobs, where, min(PAGE, left), cursor)):
            details = (store.read(find_detail, job.id) for job in jobs)
            yield [detail for detail in details if detail is not None]
            cursor, left = jobs[-1].id, left - len(jobs)


def refuse_unnameable(kind: str, name: str) -> None:
    """Refuse a name that nothing can have: ``provider/model`` may be anything else. Raises NotFound."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NotFound(kind, repr(name[:80]))
