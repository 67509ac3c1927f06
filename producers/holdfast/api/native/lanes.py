"""Lanes: list, pause, resume. A lane's name may hold slashes: ``anthropic/claude-opus-4-8.batch``."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.auth.request_context import Fleet, Watching

router = APIRouter(prefix="/lanes", tags=["lanes"])


@router.get("")
def list_lanes(context: Watching) -> dict[str, Any]:
    """List lanes with their jobs by state."""
    return context.backend.lanes()


@router.post("/{name:path}/pause")
def pause(name: str, context: Fleet) -> dict[str, Any]:
    """Stop starting jobs of a lane. Running ones finish, and submitting goes on."""
    return context.backend.pause(name, paused=True)


@router.post("/{name:path}/resume")
def resume(name: str, context: Fleet) -> dict[str, Any]:
    """Start jobs of a lane again."""
    return context.backend.pause(name, paused=False)
