"""Is the process alive, can it take jobs, and what does it count?"""

import asyncio
from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from holdfast.api.app_state import AppState, Ours
from holdfast.api.auth.request_context import Watching
from holdfast.api.metrics import exposition
from holdfast.client.fleet import redis_warning

PATIENCE = 1.0  # seconds: a Redis that hangs must not make us look dead

router = APIRouter(tags=["probes"])


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Answer as long as the process runs its loop."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(ours: Ours) -> dict[str, Any]:
    """Ready means that jobs can be accepted: SQL answers. Redis away is a warning; providers are not asked."""
    await run_in_threadpool(lambda: ours.installation.ready().ping())
    warning = await prompt_redis_warning(ours)
    return {"status": "degraded" if warning else "ready", "ready": True, "warnings": [warning] if warning else []}


async def prompt_redis_warning(ours: AppState) -> str | None:
    try:
        return await asyncio.wait_for(run_in_threadpool(redis_warning, ours.installation), PATIENCE)
    except TimeoutError:
        return f"Redis has not answered within {PATIENCE:g} s. Accepted jobs are safe in SQL and start when it does."


@router.get("/metrics")
def metrics(ours: Watching) -> Response:
    """Prometheus' text format, computed now."""
    return Response(exposition(ours.shared.installation), media_type=CONTENT_TYPE_LATEST)
