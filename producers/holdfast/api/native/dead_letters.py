"""Dead letters: list, group, replay, drain, drop. Bulk actions need a filter, and only count until told to act."""

from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from holdfast.api.auth.request_context import Operating, Reading, RequestContext
from holdfast.api.native.filters import Bulk, Page, Replay
from holdfast.api.native.filters import Filter as DeadFilter
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, new_id, public_id
from holdfast.model.job import State

DEAD = frozenset({State.DEAD})

router = APIRouter(prefix="/dlq", tags=["dead letters"])


@router.get("")
def list_letters(context: Reading, page: Annotated[Page, Query()]) -> dict[str, Any]:
    """List dead letters, newest first."""
    return context.backend.jobs(page.choose(DEAD), page.limit, page.cursor)


@router.get("/groups")
def groups(context: Reading, where: Annotated[DeadFilter, Query()]) -> dict[str, Any]:
    """Group dead letters by lane and by what they died of, largest group first."""
    return context.backend.dead_groups(where.choose(DEAD))


@router.post("/replay")
def replay(context: Operating, bulk: Replay) -> dict[str, Any]:
    """Put dead letters back to work, oldest first, ``per_minute`` of them a minute."""
    if bulk.dry_run:
        return plan(context, bulk)
    moved = context.backend.replay(bulk.dead(), bulk.limit, bulk.per_minute)
    return done(new_id(), moved)


@router.post("/drop")
def drop(context: Operating, bulk: Bulk) -> dict[str, Any]:
    """Remove dead letters for good."""
    if bulk.dry_run:
        return plan(context, bulk)
    return done(new_id(), context.backend.drop(bulk.dead(), bulk.limit))


@router.post("/drain")
def drain(context: Operating, bulk: Bulk) -> dict[str, Any]:
    """Write dead letters to a file of the server, then remove them. ``export_url`` is where to fetch it."""
    if bulk.dry_run:
        return plan(context, bulk)
    operation, where = new_id(), bulk.dead()
    directory = exports(context)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    drained = context.backend.drain(where, bulk.limit, directory / f"{operation}.jsonl")
    return done(operation, drained) | {"export_url": f"/api/v1/dlq/exports/{public_id('op', operation)}"}


@router.get("/exports/{operation}")
def export(operation: str, context: Operating) -> FileResponse:
    """Fetch what a drain with the same reach wrote: one dead letter a line, ready to be submitted again."""
    inner = inner_id("op", operation)
    file = exports(context) / f"{inner}.jsonl"
    if not file.is_file():
        raise NotFound("export", public_id("op", inner))
    return FileResponse(file, media_type="application/x-ndjson", filename=f"{public_id('op', inner)}.jsonl")


def exports(context: RequestContext) -> Path:
    """Name the folder of what this caller drained. Each tenant has its own, and a name that breaks out of none."""
    folder = context.settings.storage.directory / "exports"
    return folder if context.tenant is None else folder / blake2b(context.tenant.encode(), digest_size=16).hexdigest()


def plan(context: RequestContext, bulk: Bulk) -> dict[str, Any]:
    """Say how many dead letters an action would take, and change nothing."""
    return {"operation": None, "jobs": context.backend.count(bulk.dead(), bulk.limit), "dry_run": True}


def done(operation: str, jobs: int) -> dict[str, Any]:
    return {"operation": public_id("op", operation), "jobs": jobs, "dry_run": False}
