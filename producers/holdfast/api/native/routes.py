"""Routes: list, open (no calls), close (all calls), reset (the breaker decides again)."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.auth.request_context import Fleet, Watching

router = APIRouter(prefix="/routes", tags=["routes"])


@router.get("")
def list_routes(context: Watching) -> dict[str, Any]:
    """List configured routes with breakers, buckets and calls in flight."""
    return context.backend.routes()


@router.post("/{name:path}/open")
def force_open(name: str, context: Fleet) -> dict[str, Any]:
    """Let no call take the route until it is closed or reset; its jobs wait or take others."""
    return context.backend.force(name, "open")


@router.post("/{name:path}/close")
def force_closed(name: str, context: Fleet) -> dict[str, Any]:
    """Let every call take the route, whatever its breaker hears, until it is reset."""
    return context.backend.force(name, "closed")


@router.post("/{name:path}/reset")
def reset(name: str, context: Fleet) -> dict[str, Any]:
    """Lift an override, and forget what breakers and pauses hold against the route."""
    return context.backend.reset(name)
