"""Write refusals to the audit log and to the log: who, from where, what, why; no key, and never all of a flood."""

import logging
import time

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from holdfast.api.app_state import AppState
from holdfast.api.auth.failed_auth import Denial, peer_of
from holdfast.api.request_ids import request_id
from holdfast.model.audit_action import AuditAction
from holdfast.store.audit import audit

NOBODY = "nobody"  # the actor of a request without a good key

log = logging.getLogger(__name__)


async def record_refusal(app_state: AppState, scope: Scope, why: str, actor: str = NOBODY) -> Denial:
    """Count a refusal, and write it down unless a flood of them is. It stays a refusal where it cannot be."""
    peer = peer_of(scope)
    denial = app_state.failed_auth.denied(peer if actor == NOBODY else actor, time.monotonic())
    if denial.write:
        what = {
            "why": why,
            "method": scope["method"],
            "path": scope["path"][:200],
            "peer": peer,
            "request": request_id(scope),
            "unwritten": denial.unwritten,
        }
        log.warning("denied: %s", what)
        await _write(app_state, actor, what)
    return denial


async def _write(app_state: AppState, actor: str, what: dict[str, object]) -> None:
    try:
        await run_in_threadpool(lambda: app_state.installation.ready().write(audit, actor, AuditAction.DENIED, what))
    except Exception:
        log.exception("request %s: the refusal is not in the audit log", what["request"])
