"""Everything that an operator has to know, read at one moment: what the dashboard shows on its one screen."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from holdfast.client.fleet import (
    GateOverview,
    LaneState,
    RouteState,
    credential_alerts,
    exception_alerts,
    gate_overview,
    lane_states,
    redis_url,
    redis_warning,
    route_states,
)
from holdfast.client.installation import Installation
from holdfast.client.outages import WAITING, FleetSituation, WaitKind, read_situation
from holdfast.lanes.values import RouteFault
from holdfast.model.job import LIVE, SCHEDULED, State
from holdfast.model.records import AuditRecord, WorkerRecord
from holdfast.policy.credential_alerts import Alert
from holdfast.policy.deadlines import UNKNOWN, at_risk
from holdfast.policy.eta import drain_rate
from holdfast.policy.outage_sentence import Outage
from holdfast.policy.verdict import HealthSummary, Situation, verdict
from holdfast.store import Store
from holdfast.store.audit import list_audit
from holdfast.store.backlog import delayed_reasons, nearest_deadlines, oldest_wait
from holdfast.store.counters import Counters, read_counters
from holdfast.store.fleet import list_workers
from holdfast.store.ledger import read_equation

DEADLINES = 2_000  # of the nearest that are looked at: more than these are not counted
DELAYED = 2_000  # delayed jobs whose reason is read; of the others the same shares are supposed
AUDITED = 30  # acts that are shown


@dataclass(frozen=True, slots=True)
class LaneOverview:
    """``oldest``: age in seconds of the oldest job that may start now; 0 where there is none."""

    state: LaneState
    paused_by: str | None
    oldest: float
    at_risk: int

    @property
    def name(self) -> str:
        return self.state.lane.lane

    @property
    def waiting(self) -> int:
        return sum(self.state.lane.counts.get(state, 0) for state in WAITING)

    @property
    def running(self) -> int:
        return self.state.lane.counts.get(State.RUNNING, 0)


@dataclass(frozen=True, slots=True)
class BucketFill:
    """One rate allowance. ``ratio``: level over capacity, below 0 in debt; ``paused_for``: seconds it gives nothing."""

    dimension: str
    ratio: float
    per_minute: float
    paused_for: float


@dataclass(frozen=True, slots=True)
class RouteOverview:
    """``recovering``: it was down, and calls come back step by step."""

    state: RouteState
    outage: Outage | None
    recovering: bool

    @property
    def fills(self) -> list[BucketFill]:
        """How full its buckets are, the emptiest of each kind over all credentials first."""
        found: dict[str, BucketFill] = {}
        for bucket in self.state.buckets:
            for dimension, level in bucket.level.items():
                ratio = level / (bucket.capacity[dimension] or 1.0)
                fill = BucketFill(dimension.value, ratio, bucket.rate[dimension] * 60, bucket.paused_for)
                found[dimension.value] = min(found.get(dimension.value, fill), fill, key=lambda each: each.ratio)
        return sorted(found.values(), key=lambda fill: fill.ratio)


@dataclass(frozen=True, slots=True)
class WaitReason:
    """So many jobs wait for one thing. ``exact``: every one of them was asked."""

    why: str
    jobs: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Books:
    """The equation that always holds, by the running tallies of one moment."""

    accepted: int
    dropped: int
    counts: Mapping[State, int]

    @property
    def accounted(self) -> int:
        """Jobs that are somewhere: in a state, or dropped."""
        return sum(self.counts.values()) + self.dropped

    @property
    def balance(self) -> bool:
        return self.accepted == self.accounted


@dataclass(frozen=True, slots=True)
class Overview:
    """One moment. ``at`` in seconds since the epoch, by SQL's clock; ``redis``: what is wrong with Redis.

    ``broken``: the rules of the ledger that did not hold when everything was last counted.

    ``diagnoses``: those of the last minutes, by provider, as ``holdfast diagnose`` shows them.
    ``login_outages``: providers that refuse keys which are not at fault.
    """

    at: float
    verdict: HealthSummary
    lanes: Sequence[LaneOverview]
    routes: Sequence[RouteOverview]
    reasons: Sequence[WaitReason]
    faults: Sequence[RouteFault]
    workers: Sequence[WorkerRecord]
    alerts: Sequence[Alert]
    unusable: Sequence[str]
    audit: Sequence[AuditRecord]
    counters: Counters
    books: Books
    broken: Sequence[str]
    diagnoses: Mapping[str, Mapping[str, Any]]
    database_url: str
    redis_url: str | None
    redis: str | None
    login_outages: frozenset[str] = frozenset()

    @property
    def waiting(self) -> int:
        return sum(lane.waiting for lane in self.lanes)

    @property
    def ledger_holds(self) -> bool:
        """Whether the equation holds now, and every rule of the ledger did when everything was last counted."""
        return self.books.balance and not self.broken

    @property
    def down_since(self) -> float | None:
        """When the first of the outages of now began; None where there is none, or nobody knows."""
        begun = [route.outage.since for route in self.routes if route.outage and route.outage.since is not None]
        return min(begun, default=None)

    @property
    def troubled_providers(self) -> frozenset[str]:
        """Providers with a route that is down, whose diagnoses say something of now."""
        return frozenset(route.state.route.provider for route in self.routes if route.outage is not None)

    @property
    def oldest(self) -> float:
        return max((lane.oldest for lane in self.lanes), default=0.0)

    @property
    def at_risk(self) -> int:
        return sum(lane.at_risk for lane in self.lanes)

    @property
    def drain_eta(self) -> float | None:
        """Seconds until nothing waits or runs anywhere; None where one lane cannot tell."""
        etas = [lane.state.eta.seconds for lane in self.lanes if lane.waiting or lane.running]
        known = [seconds for seconds in etas if seconds is not None]
        return max(known, default=0.0) if len(known) == len(etas) else None

    @property
    def eta_why(self) -> str:
        """Say why nobody can tell when all is done, or what the estimate rests on."""
        busy = [lane.state.eta for lane in self.lanes if lane.waiting or lane.running]
        unknown = [eta.why for eta in busy if eta.seconds is None]
        slowest = max(busy, key=lambda eta: eta.seconds or 0.0, default=None)
        return unknown[0] if unknown else slowest.why if slowest else "nothing waits"

    @property
    def cost(self) -> float:
        """Dollars that all calls have cost since the counters began, at the configured prices."""
        return sum(self.counters.of("cost").values()) / 1_000_000


def read_overview(installation: Installation, broken: Sequence[str] = ()) -> Overview:
    """Read it all, from running tallies and partial indexes: no look counts jobs. Raises StorageUnavailable.

    ``broken``: what the last full count of the ledger found.
    """
    store, gate = installation.ready(), gate_overview(installation)
    situation = read_situation(installation, gate.snapshot, gate.warning, sees_all=True)
    lanes = _lanes(installation, store, gate, situation)
    routes = _routes(installation, gate, situation)
    counters = store.read(read_counters)
    parked = credential_alerts(installation, gate, situation.refusing_good_keys)
    alerts = [*parked, *exception_alerts(counters)]
    redis, unusable = gate.warning or redis_warning(installation), installation.usable_keys.complaints()
    gone_at = None if situation.forecast.has_workers else _last_worker(store)
    logins = situation.refusing_good_keys.union(each.about for each in alerts if each.kind == "auth_outage")
    books = Books(*store.read(read_equation))
    is_broken = bool(broken) or not books.balance
    return Overview(
        at=situation.forecast.now,
        verdict=_verdict(situation, lanes, routes, logins, unusable, redis, gone_at, ledger_broken=is_broken),
        lanes=lanes,
        routes=routes,
        reasons=wait_reasons(situation, lanes, store.read(delayed_reasons, DELAYED)),
        faults=situation.lately,
        workers=store.read(list_workers),
        alerts=alerts,
        unusable=unusable,
        audit=store.read(list_audit, AUDITED),
        counters=counters,
        diagnoses=situation.diagnoses,
        books=books,
        broken=broken,
        database_url=store.url,
        redis_url=redis_url(installation),
        redis=redis,
        login_outages=frozenset(logins),
    )


def _lanes(
    installation: Installation, store: Store, gate: GateOverview, situation: FleetSituation
) -> list[LaneOverview]:
    deadlines = store.read(nearest_deadlines, UNKNOWN, DEADLINES)
    return [
        LaneOverview(
            state=state,
            paused_by=situation.paused_by(state.lane.lane),
            oldest=store.read(oldest_wait, state.lane.lane) if state.lane.counts.get(State.QUEUED) else 0.0,
            at_risk=at_risk(deadlines.get(state.lane.lane, []), _pace(situation, state)),
        )
        for state in lane_states(installation, gate)
    ]


def _last_worker(store: Store) -> float | None:
    """When the last worker process ended, or its lease did; None where there was none of late."""
    gone = store.read(partial(list_workers, live_only=False))
    return max((min(each.stopped_at or each.lease_until, each.lease_until) for each in gone), default=None)


def _pace(situation: FleetSituation, state: LaneState) -> float | None:
    """Jobs a second that a lane ends; None where its estimate says that nobody can tell."""
    if not state.eta.seconds:
        return None
    left = sum(state.lane.counts.get(each, 0) for each in LIVE)
    return left / state.eta.seconds or drain_rate(situation.forecast.paces.get(state.lane.lane, []))


def _routes(installation: Installation, gate: GateOverview, situation: FleetSituation) -> list[RouteOverview]:
    outages = situation.outages()
    return [
        RouteOverview(
            state=state,
            outage=outages.get(state.route.name),
            recovering=state.route.name not in outages and any(breaker.recovering for breaker in state.breakers),
        )
        for state in route_states(installation, gate)
    ]


def _verdict(  # noqa: PLR0917 - what a verdict rests on
    situation: FleetSituation,
    lanes: Sequence[LaneOverview],
    routes: Sequence[RouteOverview],
    logins: Collection[str],
    unusable: Sequence[str],
    redis: str | None,
    gone_at: float | None,
    *,
    ledger_broken: bool,
) -> HealthSummary:
    return verdict(
        Situation(
            redis=redis,
            ledger_broken=ledger_broken,
            has_workers=situation.forecast.has_workers,
            workers_gone_at=gone_at,
            waiting=sum(lane.waiting for lane in lanes),
            unusable=unusable,
            outages=[route.outage for route in routes if route.outage is not None],
            recovering=[route.state.route.name for route in routes if route.recovering],
            paused=[lane.paused_by for lane in lanes if lane.paused_by is not None],
            auth_outages=logins,
        )
    )


def count_waiting(
    situation: FleetSituation, delayed: Sequence[tuple[str, str | None, int]]
) -> dict[tuple[str, WaitKind], int]:
    """Count waiting jobs by lane and by what they wait for. ``delayed``: reasons of those that start next."""
    found: Counter[tuple[str, WaitKind]] = Counter()
    for lane in situation.lanes:
        blocked = situation.blocked_by(lane.lane)
        queued = lane.counts.get(State.QUEUED, 0)
        held = 0 if blocked else min(queued, sum(jobs for _, jobs in situation.held_back(lane.lane)))
        found[lane.lane, blocked[0] if blocked else WaitKind.TURN] += queued - held
        found[lane.lane, WaitKind.OUTAGE] += held
        later = [(why, jobs) for name, why, jobs in delayed if name == lane.lane]
        there, seen = lane.counts.get(State.DELAYED, 0), sum(jobs for _, jobs in later)
        for why, jobs in later:
            kind = blocked[0] if blocked else WaitKind.DATE if why is None else WaitKind.RETRY
            found[lane.lane, kind] += round(jobs * there / seen)
    return {key: jobs for key, jobs in sorted(found.items()) if jobs}


def wait_reasons(
    situation: FleetSituation, lanes: Sequence[LaneOverview], delayed: Sequence[tuple[str, str | None, int]]
) -> list[WaitReason]:
    """Group waiting jobs by what they wait for, most frequent first."""
    found: Counter[str] = Counter()
    exact = True
    for lane in lanes:
        counts, later = lane.state.lane.counts, [(why, jobs) for name, why, jobs in delayed if name == lane.name]
        blocked = situation.why_blocked(lane.name)
        eta = lane.state.eta
        turn = eta.why if eta.seconds is None else f"their turn: drained {eta.why}"
        queued = counts.get(State.QUEUED, 0)
        for held_by, jobs in [] if blocked else situation.held_back(lane.name):
            held = min(queued, jobs)
            found[held_by] += held
            queued -= held
        found[blocked or turn] += queued
        there, seen = counts.get(State.DELAYED, 0), sum(jobs for _, jobs in later)
        exact = exact and there == seen
        for why, jobs in later:
            found[why if why == SCHEDULED else blocked or why or "a date to come"] += round(jobs * there / seen)
    return [WaitReason(why, jobs, exact) for why, jobs in found.most_common() if jobs > 0]
