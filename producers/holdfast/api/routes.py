"""Routes: list, open (no calls), close (all calls), reset (the breaker decides again)."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.lanes import LATER
from holdfast.api.shared import Ours
from holdfast.client.operating import Operator
from holdfast.client.views import route_view

router = APIRouter(prefix="/routes", tags=["routes"])


@router.get("")
def list_routes(ours: Ours) -> dict[str, Any]:
    """List configured routes with breakers, buckets and calls in flight."""
    operator = Operator(ours.storage, "api")
    overview = operator.overview()
    return {"routes": [route_view(route) for route in operator.routes(overview)], "warning": overview.warning}


@router.post("/{name:path}/open")
def force_open(name: str, ours: Ours) -> dict[str, Any]:
    """Let no call take the route until it is closed or reset; its jobs wait or take others."""
    return answer(name, "open", told=Operator(ours.storage, "api").force(name, "open"))


@router.post("/{name:path}/close")
def force_closed(name: str, ours: Ours) -> dict[str, Any]:
    """Let every call take the route, whatever its breaker hears, until it is reset."""
    return answer(name, "closed", told=Operator(ours.storage, "api").force(name, "closed"))


@router.post("/{name:path}/reset")
def reset(name: str, ours: Ours) -> dict[str, Any]:
    """Lift an override, and forget what breakers and pauses hold against the route."""
    return answer(name, None, told=Operator(ours.storage, "api").reset(name))


def answer(name: str, override: str | None, *, told: bool) -> dict[str, Any]:
    return {"name": name, "override": override, "warning": None if told else LATER}
