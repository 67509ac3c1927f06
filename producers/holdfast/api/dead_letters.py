"""Dead letters: list, group, replay, drain, drop. Bulk actions need a filter, and only count until told to act."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from holdfast.api.filters import Bulk, Page, Replay
from holdfast.api.filters import Filter as DeadFilter
from holdfast.api.shared import Ours, Shared
from holdfast.client.operating import Operator
from holdfast.client.views import group_view, job_view
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, new_id, public_id
from holdfast.model.job import State

DEAD = frozenset({State.DEAD})
ACTOR = "api"

router = APIRouter(prefix="/dlq", tags=["dead letters"])


@router.get("")
def list_letters(ours: Ours, page: Annotated[Page, Query()]) -> dict[str, Any]:
    """List dead letters, newest first."""
    jobs = ours.storage.ready().jobs(page.choose(DEAD), page.limit, page.after())
    more = len(jobs) == page.limit
    return {"jobs": [job_view(job) for job in jobs], "next": public_id("job", jobs[-1].id) if more else None}


@router.get("/groups")
def groups(ours: Ours, where: Annotated[DeadFilter, Query()]) -> dict[str, Any]:
    """Group dead letters by lane and by what they died of, largest group first."""
    return {"groups": [group_view(group) for group in ours.storage.ready().dead_groups(where.choose(DEAD))]}


@router.post("/replay")
def replay(ours: Ours, bulk: Replay) -> dict[str, Any]:
    """Put dead letters back to work, oldest first, ``per_minute`` of them a minute."""
    if bulk.dry_run:
        return plan(ours, bulk)
    moved = Operator(ours.storage, ACTOR).replay(bulk.dead(), bulk.limit, bulk.per_minute)
    return done(new_id(), moved)


@router.post("/drop")
def drop(ours: Ours, bulk: Bulk) -> dict[str, Any]:
    """Remove dead letters for good."""
    if bulk.dry_run:
        return plan(ours, bulk)
    return done(new_id(), Operator(ours.storage, ACTOR).drop(bulk.dead(), bulk.limit))


@router.post("/drain")
def drain(ours: Ours, bulk: Bulk) -> dict[str, Any]:
    """Write dead letters to a file of the server, then remove them. ``export_url`` is where to fetch it."""
    if bulk.dry_run:
        return plan(ours, bulk)
    operation, where = new_id(), bulk.dead()
    directory = exports(ours)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    drained = Operator(ours.storage, ACTOR).drain(where, bulk.limit, directory / f"{operation}.jsonl")
    return done(operation, drained) | {"export_url": f"/api/v1/dlq/exports/{public_id('op', operation)}"}


@router.get("/exports/{operation}")
def export(operation: str, ours: Ours) -> FileResponse:
    """Fetch what a drain wrote: one dead letter a line, ready to be submitted again."""
    inner = inner_id("op", operation)
    file = exports(ours) / f"{inner}.jsonl"
    if not file.is_file():
        raise NotFound("export", public_id("op", inner))
    return FileResponse(file, media_type="application/x-ndjson", filename=f"{public_id('op', inner)}.jsonl")


def exports(ours: Shared) -> Path:
    return ours.settings.storage.directory / "exports"


def plan(ours: Shared, bulk: Bulk) -> dict[str, Any]:
    """Say how many dead letters an action would take, and change nothing."""
    jobs = min(bulk.limit, ours.storage.ready().count(bulk.dead()))
    return {"operation": None, "jobs": jobs, "dry_run": True}


def done(operation: str, jobs: int) -> dict[str, Any]:
    return {"operation": public_id("op", operation), "jobs": jobs, "dry_run": False}
