"""Probes: liveness, readiness, and Prometheus' metrics."""

import asyncio

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from holdfast.api.app_state import AppState, InjectedAppState
from holdfast.api.auth.request_context import Watching
from holdfast.api.metrics import exposition
from holdfast.api.native.fleet_answers import AliveView, ReadyView
from holdfast.api.openapi import refusals, shown
from holdfast.client.backend import View
from holdfast.client.fleet import redis_warning

REDIS_SECONDS = 1.0  # seconds: a Redis that hangs must not make readiness fail

router = APIRouter(tags=["probes"])


@router.get("/livez", **shown(AliveView))
async def livez() -> dict[str, str]:
    """Answer as long as the process runs its loop."""
    return {"status": "alive"}


@router.get("/readyz", **shown(ReadyView, 503))
async def readyz(app_state: InjectedAppState) -> View:
    """Ready means that jobs can be accepted: SQL answers. Redis away is a warning; providers are not asked."""
    await run_in_threadpool(lambda: app_state.installation.ready().ping())
    warning = await prompt_redis_warning(app_state)
    return {"status": "degraded" if warning else "ready", "ready": True, "warnings": [warning] if warning else []}


async def prompt_redis_warning(app_state: AppState) -> str | None:
    try:
        return await asyncio.wait_for(run_in_threadpool(redis_warning, app_state.installation), REDIS_SECONDS)
    except TimeoutError:
        return (
            f"Redis has not answered within {REDIS_SECONDS:g} s. Accepted jobs are safe in SQL and start when it does."
        )


@router.get("/metrics", response_class=PlainTextResponse, responses=refusals(401, 403, 429, 500, 503))
def metrics(context: Watching) -> Response:
    """Prometheus' text format, computed now."""
    return Response(exposition(context.app_state.installation), media_type=CONTENT_TYPE_LATEST)
