"""Routes: list, open (no calls), close (all calls), reset (the breaker decides again)."""

from fastapi import APIRouter, Response

from holdfast.api.auth.request_context import Fleet, Watching
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.fleet_answers import RouteForced, RouteList
from holdfast.api.native.path_names import PathName
from holdfast.api.openapi import shown
from holdfast.client.backend import View

router = APIRouter(prefix="/routes", tags=["routes"])


@router.get("", **shown(RouteList, more=UNCHANGED))
def list_routes(context: Watching, if_none_match: IfNoneMatch = None) -> Response:
    """List configured routes with breakers, buckets, request limits and calls in flight."""
    return tagged_page(context.backend.routes(), if_none_match)


@router.post("/{name:path}/open", **shown(RouteForced))
def open_route(name: PathName, context: Fleet) -> View:
    """Let no call take the route until it is closed or reset; its jobs wait or take others."""
    return context.backend.force(name, "open")


@router.post("/{name:path}/close", **shown(RouteForced))
def close_route(name: PathName, context: Fleet) -> View:
    """Let every call take the route, whatever its breaker hears, until it is reset."""
    return context.backend.force(name, "closed")


@router.post("/{name:path}/reset", **shown(RouteForced))
def reset_route(name: PathName, context: Fleet) -> View:
    """Lift an override, and forget what breakers and pauses hold against the route, and what its limits were."""
    return context.backend.reset(name)
