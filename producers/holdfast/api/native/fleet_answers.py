"""What the native API answers of lanes, routes, workers and providers, as its document shows it: see `answers`."""

from typing import Any

from holdfast.api.native.answers import AnswerModel


class LaneView(AnswerModel):
    """A lane. ``window``: jobs that lie ready in Redis; null when Redis does not answer."""

    name: str
    paused: bool
    paused_by: str | None
    counts: dict[str, int]
    window: int | None
    drain_eta_seconds: float | None
    drain_eta_why: str | None


class LaneList(AnswerModel):
    """Every lane."""

    lanes: list[LaneView]


class LanePaused(AnswerModel):
    """A lane that was paused or resumed; ``warning`` says that Redis hears of it later."""

    name: str
    paused: bool
    warning: str | None


class FaultFigure(AnswerModel):
    """So many calls ended with one kind of fault and one HTTP status."""

    fault: str
    status_code: int | None
    calls: int


class OutageView(AnswerModel):
    """What keeps calls from a route. ``again_in``: seconds; 0 while it is being asked, null for an operator."""

    since: str | None
    again_in: float | None
    faults: list[FaultFigure]
    takes_over: list[str]
    waiting: int | None
    sentence: str


class BreakerFigure(AnswerModel):
    """A breaker as it stands."""

    scope: str
    state: str
    words: str
    retry_in: float | None
    allowance: float | None


class BucketFigure(AnswerModel):
    """A rate allowance as it stands, by dimension."""

    name: str
    paused_for: float
    dimensions: dict[str, dict[str, float]]


class LimitFigure(AnswerModel):
    """The request limit of one credential, and where it is from.

    ``source`` null: nobody knows a limit yet. ``learned_ago``: seconds since an earlier run used it; null: it is now's.
    """

    credential: str
    requests_per_minute: float | None
    source: str | None
    learned_ago: float | None
    words: str


class RouteView(AnswerModel):
    """A configured route with its breakers, its buckets, its request limits and its calls in flight."""

    name: str
    provider: str
    model: str
    api: str
    models: list[str]
    state: str
    override: str | None
    in_flight: int | None
    outage: OutageView | None
    breakers: list[BreakerFigure]
    buckets: list[BucketFigure]
    limits: list[LimitFigure]


class RouteList(AnswerModel):
    """Every route; ``warning`` says what is not known for want of Redis."""

    routes: list[RouteView]
    warning: str | None


class RouteForced(AnswerModel):
    """A route that an operator forced or reset; ``warning`` says that Redis hears of it later."""

    name: str
    override: str | None
    warning: str | None


class WorkerView(AnswerModel):
    """A worker process with a live lease."""

    id: str
    host: str
    pid: int
    version: str
    started_at: str
    lease_until: str


class RouteFaults(FaultFigure):
    """Calls of one route that failed of late."""

    route: str


class AlertView(AnswerModel):
    """Something a person should know. ``down_for``: seconds."""

    kind: str
    about: str
    down_for: float
    text: str


class UnknownCode(AnswerModel):
    """How often a provider answered with a code that no table knows."""

    provider: str
    code: str
    calls: int


class StatusView(AnswerModel):
    """The state of everything on one page."""

    database_url: str
    redis_url: str | None
    workers: list[WorkerView]
    lanes: list[LaneView]
    routes: list[RouteView]
    faults: list[RouteFaults]
    warnings: list[str]
    alerts: list[AlertView]
    unknown_codes: list[UnknownCode]


class LedgerEquation(AnswerModel):
    """One invariant, the figures that it compares, and ids that break it."""

    name: str
    sentence: str
    holds: bool
    figures: dict[str, Any]
    offenders: list[Any]


class LedgerView(AnswerModel):
    """The invariants; ``holds`` is true when all of them do."""

    holds: bool
    lines: list[LedgerEquation]


class ProviderDiagnosis(AnswerModel):
    """What is wrong with one provider, as far as this server can tell, and what was looked at.

    ``verdict``: what to act on first; ``also``: what else is wrong.
    """

    provider: str
    verdict: str
    also: list[str]
    sentence: str
    advice: str


class DiagnosisAnswer(AnswerModel):
    """Where the trouble lies. ``verdict``: the worst of the providers'; null where none is configured."""

    verdict: str | None
    providers: list[ProviderDiagnosis]


class AliveView(AnswerModel):
    """The process runs."""

    status: str


class ReadyView(AnswerModel):
    """Whether jobs can be accepted; ``warnings`` tell what is degraded."""

    status: str
    ready: bool
    warnings: list[str]


class AuditEntry(AnswerModel):
    """One act, or one refusal. ``what``: to what it was done; ``jobs``: how many it moved."""

    id: str
    created_at: str
    actor: str
    action: str
    what: Any
    jobs: int


class AuditPage(AnswerModel):
    """Acts, newest first. ``next``: the cursor of the next page."""

    acts: list[AuditEntry]
    next: str | None
