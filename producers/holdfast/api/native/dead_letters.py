"""Dead letters: list, group, replay, drain, drop. Bulk actions need a filter, and only count until told to act."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from holdfast.api.auth.request_context import Operating, Reading, RequestContext
from holdfast.api.native.answers import DeadGroups, JobsPage, OperationsList, OperationView
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.filters import Bulk, DeadLetterFilter, DeadLetterPage, Replay
from holdfast.api.openapi import Answers, refusals, shown
from holdfast.client.backend import View
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.export import export_pages, open_export
from holdfast.model.ids import public_id
from holdfast.model.records import ReplayEdit

LINES = {"application/x-ndjson": {"schema": {"type": "string"}}}
EXPORT: Answers = {200: {"description": "One dead letter a line.", "content": LINES}}
SOON = 1.5  # seconds that a call waits for the end of its operation

router = APIRouter(prefix="/dlq", tags=["dead letters"])


@router.get("", **shown(JobsPage, more=UNCHANGED))
def list_dead_letters(
    context: Reading, page: Annotated[DeadLetterPage, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """List dead letters, newest first."""
    return tagged_page(context.backend.jobs(page.chosen(), page.limit, page.cursor), if_none_match)


@router.get("/groups", **shown(DeadGroups, more=UNCHANGED))
def group_dead_letters(
    context: Reading, where: Annotated[DeadLetterFilter, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """Group dead letters by what they died of (provider, status, code, words), largest group first."""
    return tagged_page(context.backend.dead_groups(where.chosen()), if_none_match)


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


@router.get("/operations", **shown(OperationsList, more=UNCHANGED))
def list_operations(context: Reading, if_none_match: IfNoneMatch = None) -> Response:
    """List the newest operations on dead letters."""
    return tagged_page(context.backend.operations(), if_none_match)


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


@router.post("/drain", **shown(OperationView))
def drain_dead_letters(context: Operating, bulk: Bulk) -> View:
    """Move dead letters into an export. The answer is an operation; once it has ended, ``export_url`` is there.

    An export is kept for a month.
    """
    return act(context, bulk, BulkOrder("drain", bulk.dead(), bulk.limit))


@router.get("/exports/{operation}", response_class=Response, responses=EXPORT | refusals(409))
def fetch_export(operation: str, context: Operating) -> Response:
    """Fetch what a drain has taken: one dead letter a line, ready to be submitted again."""
    installation = context.app_state.installation
    found = open_export(installation, operation, context.tenant, context.caller.name)
    name = f'attachment; filename="{public_id("op", found.id)}.jsonl"'
    pages = export_pages(installation, found)
    return StreamingResponse(pages, media_type="application/x-ndjson", headers={"content-disposition": name})


@router.delete("/exports/{operation}", status_code=204, responses=refusals(409))
def delete_export(operation: str, context: Operating) -> None:
    """Delete what a drain has taken for good, and its operation."""
    context.backend.delete_export(operation)


def act(context: RequestContext, bulk: Bulk, order: BulkOrder) -> View:
    """Only tell what an order would do, or do it; a small one is over when this answers."""
    if bulk.dry_run:
        return plan(context, order)
    return context.backend.act(order, SOON)


def plan(context: RequestContext, order: BulkOrder) -> View:
    """Say how many dead letters an order would take, what that costs and where, and change nothing."""
    return {"operation": None, **context.backend.plan_bulk(order), "dry_run": True}
