"""Records as plain JSON values: what the API answers and what the command line shows with --json. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.client.fleet import LaneState, RouteState
from holdfast.client.plain_line import MICROS, error_line, mapping_line, reply_with_body, usage_line
from holdfast.client.route_limits import RouteLimit
from holdfast.lanes import BreakerView, BucketView
from holdfast.lanes.values import RouteFault
from holdfast.model.access import KeyRecord
from holdfast.model.call_result import ProviderResponse
from holdfast.model.ids import public_id
from holdfast.model.iso_time import iso
from holdfast.model.job import State
from holdfast.model.records import (
    AttemptRecord,
    BatchRecord,
    FaultGroup,
    JobDetail,
    JobRecord,
    LedgerLine,
    WorkerRecord,
)
from holdfast.policy.breaker_words import breaker_words
from holdfast.policy.credential_alerts import Alert
from holdfast.policy.outage_sentence import FaultCount, Outage, outage_sentence


def page(name: str, views: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """One page of a list. ``next`` is the cursor of the next one; null where this one is not full."""
    return {name: views, "next": views[-1]["id"] if len(views) == limit else None}


def job_view(job: JobRecord) -> dict[str, Any]:
    """One job as lists show it. ``status`` is its state, by the name that output lines use."""
    return {
        "id": public_id("job", job.id),
        "status": job.state.value,
        "state": job.state.value,
        "why_waiting": job.why_waiting,
        "model": job.model,
        "lane": job.lane,
        "priority": job.priority.value,
        "custom_id": job.custom_id,
        "batch": public_id("batch", job.batch) if job.batch else None,
        "position": job.position,
        "tenant": job.tenant,
        "metadata": dict(job.metadata),
        "generation": job.generation,
        "crashes": job.crashes,
        "fault": job.fault.value if job.fault else None,
        "created_at": iso(job.created_at),
        "not_before": iso(job.not_before),
        "available_at": iso(job.available_at),
        "expires_at": iso(job.expires_at),
        "finished_at": iso(job.finished_at),
    }


def detail_view(detail: JobDetail, cost_usd: float | None, response: ProviderResponse | None = None) -> dict[str, Any]:
    """One job with all that happened to it, and its reply or error once it has ended."""
    result = detail.result
    return job_view(detail.job) | {
        "attempts": [attempt_view(attempt) for attempt in detail.attempts],
        "reply": reply_with_body(result.reply, response) if result else None,
        "error": error_line(result) if result else None,
        "route": result.route if result else None,
        "cost_usd": cost_usd,
        "mapping": mapping_line(result.mapping) if result else [],
    }


def attempt_view(attempt: AttemptRecord) -> dict[str, Any]:
    """One call on the timeline. ``outcome`` is null while it runs."""
    seconds = None if attempt.ended_at is None else round(attempt.ended_at - attempt.started_at, 3)
    return {
        "generation": attempt.generation,
        "number": attempt.number,
        "route": attempt.route,
        "credential": attempt.credential,
        "started_at": iso(attempt.started_at),
        "ended_at": iso(attempt.ended_at),
        "seconds": seconds,
        "outcome": attempt.outcome.value if attempt.outcome else None,
        "fault": attempt.fault.value if attempt.fault else None,
        "status_code": attempt.status,
        "code": attempt.code,
        "message": attempt.message,
        "provider_request_id": attempt.provider_request_id,
        "usage": usage_line(attempt.usage) if attempt.usage else None,
        "cost_usd": attempt.cost_micros / MICROS,
        "mapping": mapping_line(attempt.mapping),
    }


def results_view(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Output lines of a batch, each with its place in the input; ``next`` is the last of them."""
    return {"results": list(lines), "next": lines[-1]["position"] if lines else None}


def counts_view(counts: Mapping[State, int]) -> dict[str, int]:
    return {state.value: counts.get(state, 0) for state in State}


def batch_view(batch: BatchRecord) -> dict[str, Any]:
    return {
        "id": public_id("batch", batch.id),
        "name": batch.name,
        "tenant": batch.tenant,
        "created_at": iso(batch.created_at),
        "total": batch.total,
        "counts": counts_view(batch.counts),
    }


def group_view(group: FaultGroup) -> dict[str, Any]:
    """One cause of death. ``sample``: the newest job of it; ``routes``: what each route said to that one."""
    return {
        "cause": group.cause,
        "fault": group.fault.value,
        "provider": group.provider or None,
        "status_code": group.status,
        "code": group.code,
        "message": group.message,
        "jobs": group.jobs,
        "lane": next(iter(group.lanes)),
        "lanes": dict(group.lanes),
        "oldest": iso(group.oldest),
        "newest": iso(group.newest),
        "sample": public_id("job", group.sample),
        "routes": [
            {
                "route": each.route,
                "calls": each.calls,
                "fault": each.fault.value if each.fault else None,
                "status_code": each.status,
                "message": each.message,
            }
            for each in group.said
        ],
    }


def lane_view(state: LaneState, paused_by: str | None = None) -> dict[str, Any]:
    """One lane. ``window``: ids that lie ready in Redis; null when Redis does not answer.

    ``drain_eta_seconds``: until nothing of it waits or runs; null where that is unknown: ``drain_eta_why`` says why.
    ``paused_by``: who stopped it.
    """
    lane = state.lane
    return {
        "name": lane.lane,
        "paused": lane.paused,
        "paused_by": paused_by,
        "counts": counts_view(lane.counts),
        "window": state.window,
        "drain_eta_seconds": state.eta.seconds,
        "drain_eta_why": state.eta.why,
    }


def worker_view(worker: WorkerRecord) -> dict[str, Any]:
    return {
        "id": public_id("worker", worker.id),
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "started_at": iso(worker.started_at),
        "lease_until": iso(worker.lease_until),
    }


def key_view(key: KeyRecord, now: float) -> dict[str, Any]:
    """One API key. Its secret is kept nowhere, and its digest is not shown."""
    state = "revoked" if key.revoked_at is not None else "good" if key.usable(now) else "expired"
    return {
        "id": key.id,
        "name": key.name,
        "state": state,
        "tenant": key.tenant,
        "scopes": sorted(scope.value for scope in key.scopes),
        "created_at": iso(key.created_at),
        "created_by": key.created_by,
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
        "used_at": iso(key.used_at),
    }


def ledger_view(lines: list[LedgerLine]) -> dict[str, Any]:
    """The invariants; ``holds`` is true when all of them do."""
    return {
        "holds": all(line.holds for line in lines),
        "lines": [
            {
                "name": line.name,
                "sentence": line.sentence,
                "holds": line.holds,
                "figures": dict(line.figures),
                "offenders": list(line.offenders),
            }
            for line in lines
        ],
    }


def route_view(state: RouteState, outage: Outage | None = None) -> dict[str, Any]:
    """One route. ``outage``: what keeps calls from it, and the sentence that tells it; null where nothing does."""
    route = state.route
    return {
        "name": route.name,
        "provider": route.provider,
        "model": route.model,
        "api": route.api.value,
        "models": list(state.models),
        "state": state.state,
        "override": state.override,
        "in_flight": state.in_flight,
        "outage": outage_view(outage) if outage else None,
        "breakers": [breaker_view(breaker) for breaker in state.breakers],
        "buckets": [bucket_view(bucket) for bucket in state.buckets],
        "limits": [limit_view(limit) for limit in state.limits],
    }


def limit_view(limit: RouteLimit) -> dict[str, Any]:
    """The request limit of one credential. ``learned_ago``: seconds since an earlier run used it; null: it is now's."""
    return {
        "credential": limit.credential,
        "requests_per_minute": limit.per_minute,
        "source": limit.source,
        "learned_ago": limit.age,
        "words": limit.words,
    }


def outage_view(outage: Outage) -> dict[str, Any]:
    """Say what keeps calls from a route. ``again_in``: seconds; 0 while it is being asked, null for an operator."""
    return {
        "since": iso(outage.since),
        "again_in": outage.again,
        "faults": [fault_view(fault) for fault in outage.faults],
        "takes_over": list(outage.elsewhere),
        "waiting": outage.waiting,
        "sentence": outage_sentence(outage),
    }


def fault_view(fault: FaultCount) -> dict[str, Any]:
    return {"fault": fault.kind, "status_code": fault.status, "calls": fault.calls}


def breaker_view(breaker: BreakerView) -> dict[str, Any]:
    return {
        "scope": breaker.scope,
        "state": breaker.state,
        "words": breaker_words(breaker.state, ramps=breaker.recovering),
        "retry_in": breaker.retry_in,
        "allowance": breaker.allowance,
    }


def bucket_view(bucket: BucketView) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "paused_for": bucket.paused_for,
        "dimensions": {
            dimension.value: {
                "level": level,
                "per_minute": bucket.rate[dimension] * 60,
                "capacity": bucket.capacity[dimension],
            }
            for dimension, level in bucket.level.items()
        },
    }


def status_view(
    *,
    database_url: str,
    redis_url: str | None,
    workers: Sequence[WorkerRecord],
    lanes: Sequence[dict[str, Any]],
    routes: Sequence[dict[str, Any]],
    faults: Sequence[RouteFault],
    warning: str | None,
    alerts: Sequence[Alert],
    unknown_codes: Mapping[tuple[str, ...], int],
    unusable: Sequence[str] = (),
) -> dict[str, Any]:
    """The state of everything on one page.

    ``redis_url`` is None where the embedded server does not run. ``alerts`` name credentials that have been down for
    so long that a person should know; ``unknown_codes`` counts, by provider and code, answers that no table of ours
    knows; ``unusable`` tells of models that nobody can be asked for, ``faults`` of
    the calls that failed in the last ten minutes.
    """
    return {
        "database_url": database_url,
        "redis_url": redis_url,
        "workers": [worker_view(worker) for worker in workers],
        "lanes": list(lanes),
        "routes": list(routes),
        "faults": [{"route": each.route, **fault_view(each.count)} for each in faults],
        "warnings": [*([warning] if warning else []), *unusable, *(alert.text for alert in alerts)],
        "alerts": [alert_view(alert) for alert in alerts],
        "unknown_codes": [
            {"provider": provider, "code": code, "calls": calls}
            for (provider, code), calls in sorted(unknown_codes.items())
        ],
    }


def alert_view(alert: Alert) -> dict[str, Any]:
    return {"kind": alert.kind, "about": alert.about, "down_for": alert.down_for, "text": alert.text}
