"""Refusals in the audit log and in the log: who, from where, what, and why; never a key, and never without end."""

import logging
import time

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from holdfast.api.app_state import AppState
from holdfast.api.auth.failed_auth import Denial, peer_of
from holdfast.api.request_ids import request_id
from holdfast.store.audit import audit

NOBODY = "nobody"  # the actor of a request without a good key

log = logging.getLogger(__name__)


async def record_refusal(shared: AppState, scope: Scope, why: str, actor: str = NOBODY) -> Denial:
    """Count a refusal, and write it down unless a flood of them is. Without the log it is one all the same."""
    peer = peer_of(scope)
    verdict = shared.failed_auth.denied(peer if actor == NOBODY else actor, time.monotonic())
    if verdict.write:
        what = {
            "why": why,
            "method": scope["method"],
            "path": scope["path"][:200],
            "peer": peer,
            "request": request_id(scope),
            "unwritten": verdict.unwritten,
        }
        log.warning("denied: %s", what)
        await _write(shared, actor, what)
    return verdict


async def _write(shared: AppState, actor: str, what: dict[str, object]) -> None:
    try:
        await run_in_threadpool(lambda: shared.installation.ready().write(audit, actor, "denied", what))
    except Exception:
        log.exception("request %s: the refusal is not in the audit log", what["request"])
