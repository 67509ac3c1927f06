"""The state of everything on one page, and the books."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.routes import route_view
from holdfast.api.shared import Ours
from holdfast.api.views import lane_view, ledger_view, worker_view
from holdfast.client.operating import Operator
from holdfast.model.errors import QueueUnavailable

router = APIRouter(tags=["operating"])


@router.get("/ledger")
def ledger(ours: Ours) -> dict[str, Any]:
    """Compute the ledger equation from SQL: what was accepted is accounted for."""
    return ledger_view(ours.storage.ready().ledger())


@router.get("/status")
def status(ours: Ours) -> dict[str, Any]:
    """Show storage, workers, lanes and routes."""
    operator, store = Operator(ours.storage, "api"), ours.storage.ready()
    overview = operator.overview()
    return {
        "database_url": store.url,
        "redis_url": redis_url(ours),
        "workers": [worker_view(worker) for worker in store.workers()],
        "lanes": [lane_view(each.lane, each.window) for each in operator.lanes()],
        "routes": [route_view(route) for route in operator.routes(overview)],
        "warnings": [overview.warning] if overview.warning else [],
    }


def redis_url(ours: Ours) -> str | None:
    """Say where Redis is, as one can connect to it; null where the embedded one does not run."""
    try:
        return ours.storage.link.url()
    except QueueUnavailable:
        return None
