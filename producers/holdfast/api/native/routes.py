"""Routes: list, open (no calls), close (all calls), reset (the breaker decides again)."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.auth.request_context import Fleet, Watching
from holdfast.api.native.lanes import LATER
from holdfast.client.views import route_view

router = APIRouter(prefix="/routes", tags=["routes"])


@router.get("")
def list_routes(ours: Watching) -> dict[str, Any]:
    """List configured routes with breakers, buckets and calls in flight."""
    operator = ours.operator()
    overview = operator.overview()
    return {"routes": [route_view(route) for route in operator.routes(overview)], "warning": overview.warning}


@router.post("/{name:path}/open")
def force_open(name: str, ours: Fleet) -> dict[str, Any]:
    """Let no call take the route until it is closed or reset; its jobs wait or take others."""
    return answer(name, "open", told=ours.operator().force(name, "open"))


@router.post("/{name:path}/close")
def force_closed(name: str, ours: Fleet) -> dict[str, Any]:
    """Let every call take the route, whatever its breaker hears, until it is reset."""
    return answer(name, "closed", told=ours.operator().force(name, "closed"))


@router.post("/{name:path}/reset")
def reset(name: str, ours: Fleet) -> dict[str, Any]:
    """Lift an override, and forget what breakers and pauses hold against the route."""
    return answer(name, None, told=ours.operator().reset(name))


def answer(name: str, override: str | None, *, told: bool) -> dict[str, Any]:
    return {"name": name, "override": override, "warning": None if told else LATER}
