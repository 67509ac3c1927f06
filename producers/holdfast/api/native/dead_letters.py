"""Dead letters: list, group, replay, drain, drop. Bulk actions need a filter, and only count until told to act."""

from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from holdfast.api.auth.request_context import Operating, Reading, RequestContext
from holdfast.api.native.answers import DeadGroups, DrainResult, JobsPage, OperationsList, OperationView
from holdfast.api.native.filters import MOST_LETTERS, Bulk, Page, Replay
from holdfast.api.native.filters import Filter as DeadFilter
from holdfast.api.openapi import Answers, shown
from holdfast.client.backend import View
from holdfast.client.bulk_order import BulkOrder
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, new_id, public_id
from holdfast.model.job import State
from holdfast.model.records import ReplayEdit

LINES = {"application/x-ndjson": {"schema": {"type": "string"}}}
EXPORT: Answers = {200: {"description": "One dead letter a line.", "content": LINES}}
SOON = 1.5  # seconds that a call waits for the end of its operation
DEAD = frozenset({State.DEAD})

router = APIRouter(prefix="/dlq", tags=["dead letters"])


@router.get("", **shown(JobsPage))
def list_dead_letters(context: Reading, page: Annotated[Page, Query()]) -> View:
    """List dead letters, newest first."""
    return context.backend.jobs(page.choose(DEAD), page.limit, page.cursor)


@router.get("/groups", **shown(DeadGroups))
def group_dead_letters(context: Reading, where: Annotated[DeadFilter, Query()]) -> View:
    """Group dead letters by what they died of (provider, status, code, words), largest group first."""
    return context.backend.dead_groups(where.choose(DEAD))


@router.post("/replay", **shown(OperationView))
def replay_dead_letters(context: Operating, bulk: Replay) -> View:
    """Put dead letters back to work, oldest first: as fast as their lanes drain, or ``per_minute`` of them a minute.

    The answer is an operation. It goes on by itself; ``operations`` tells how far it is.
    """
    edit = ReplayEdit(bulk.edit.model, bulk.edit.max_tokens)
    return act(context, bulk, BulkOrder("replay", bulk.dead(), bulk.limit, bulk.per_minute, edit))


@router.post("/drop", **shown(OperationView))
def drop_dead_letters(context: Operating, bulk: Bulk) -> View:
    """Remove dead letters for good. The answer is an operation."""
    return act(context, bulk, BulkOrder("drop", bulk.dead(), bulk.limit))


@router.get("/operations", **shown(OperationsList))
def list_operations(context: Reading) -> View:
    """List the newest operations on dead letters."""
    return context.backend.operations()


@router.get("/operations/{operation}", **shown(OperationView))
def show_operation(operation: str, context: Reading) -> View:
    """Show how far an operation is."""
    return context.backend.operation(operation)


@router.post("/operations/{operation}/pause", **shown(OperationView, 409))
def pause_operation(operation: str, context: Operating) -> View:
    """Move no more jobs until the operation is resumed."""
    return context.backend.operation(operation, "pause")


@router.post("/operations/{operation}/resume", **shown(OperationView, 409))
def resume_operation(operation: str, context: Operating) -> View:
    """Go on with a paused operation."""
    return context.backend.operation(operation, "resume")


@router.post("/operations/{operation}/abort", **shown(OperationView, 409))
def abort_operation(operation: str, context: Operating) -> View:
    """End an operation. What it has moved stays moved."""
    return context.backend.operation(operation, "abort")


@router.post("/drain", **shown(DrainResult))
def drain_dead_letters(context: Operating, bulk: Bulk) -> View:
    """Write dead letters to a file of the server, then remove them. ``export_url`` is where to fetch it."""
    if bulk.dry_run:
        return plan(context, BulkOrder("drop", bulk.dead(), bulk.limit))
    operation, where = new_id(), bulk.dead()
    directory = exports(context)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    drained = context.backend.drain(where, bulk.limit or MOST_LETTERS, directory / f"{operation}.jsonl")
    return done(operation, drained) | {"export_url": f"/api/v1/dlq/exports/{public_id('op', operation)}"}


@router.get("/exports/{operation}", response_class=FileResponse, responses=EXPORT)
def fetch_export(operation: str, context: Operating) -> FileResponse:
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


def act(context: RequestContext, bulk: Bulk, order: BulkOrder) -> View:
    """Only tell what an order would do, or do it; a small one is over when this answers."""
    if bulk.dry_run:
        return plan(context, order)
    return context.backend.act(order, SOON)


def plan(context: RequestContext, order: BulkOrder) -> View:
    """Say how many dead letters an order would take, what that costs and where, and change nothing."""
    return {"operation": None, **context.backend.plan_bulk(order), "dry_run": True}


def done(operation: str, jobs: int) -> View:
    return {"operation": public_id("op", operation), "jobs": jobs, "dry_run": False}
