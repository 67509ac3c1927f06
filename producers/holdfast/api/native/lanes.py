"""Lanes: list, pause, resume. A lane's name may hold slashes: ``anthropic/claude-opus-4-8.batch``."""

from fastapi import APIRouter, Response

from holdfast.api.auth.request_context import Fleet, Watching
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.fleet_answers import LaneList, LanePaused
from holdfast.api.native.path_names import PathName
from holdfast.api.openapi import shown
from holdfast.client.backend import View

router = APIRouter(prefix="/lanes", tags=["lanes"])


@router.get("", **shown(LaneList, more=UNCHANGED))
def list_lanes(context: Watching, if_none_match: IfNoneMatch = None) -> Response:
    """List lanes with their jobs by state."""
    return tagged_page(context.backend.lanes(), if_none_match)


@router.post("/{name:path}/pause", **shown(LanePaused))
def pause_lane(name: PathName, context: Fleet) -> View:
    """Stop starting jobs of a lane. Running ones finish, and submitting goes on."""
    return context.backend.pause(name, paused=True)


@router.post("/{name:path}/resume", **shown(LanePaused))
def resume_lane(name: PathName, context: Fleet) -> View:
    """Start jobs of a lane again."""
    return context.backend.pause(name, paused=False)
