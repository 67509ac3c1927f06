"""Lanes: list, pause, resume. A lane's name may hold slashes: ``anthropic/claude-opus-4-8.batch``."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.auth.request_context import Fleet, Watching
from holdfast.client.views import lane_view

LATER = "Redis does not answer; it hears of this as soon as a worker reaches it."

router = APIRouter(prefix="/lanes", tags=["lanes"])


@router.get("")
def list_lanes(ours: Watching) -> dict[str, Any]:
    """List lanes with their jobs by state."""
    return {"lanes": [lane_view(each) for each in ours.operator().lanes()]}


@router.post("/{name:path}/pause")
def pause(name: str, ours: Fleet) -> dict[str, Any]:
    """Stop starting jobs of a lane. Running ones finish, and submitting goes on."""
    return answer(name, paused=True, told=ours.operator().pause(name, paused=True))


@router.post("/{name:path}/resume")
def resume(name: str, ours: Fleet) -> dict[str, Any]:
    """Start jobs of a lane again."""
    return answer(name, paused=False, told=ours.operator().pause(name, paused=False))


def answer(name: str, *, paused: bool, told: bool) -> dict[str, Any]:
    return {"name": name, "paused": paused, "warning": None if told else LATER}
