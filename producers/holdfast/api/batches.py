"""Batches: list, look, results, cancel."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.api.intake import MOST_PLACES
from holdfast.api.shared import Ours, Shared
from holdfast.api.views import batch_view
from holdfast.client.views import finished_view
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, public_id
from holdfast.model.records import BatchRecord

router = APIRouter(tags=["batches"])


@router.get("/batches")
def list_batches(
    ours: Ours,
    tenant: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List batches, newest first."""
    before = inner_id("batch", cursor) if cursor else None
    batches = ours.storage.ready().batches(tenant, limit, before)
    more = len(batches) == limit
    return {
        "batches": [batch_view(batch) for batch in batches],
        "next": public_id("batch", batches[-1].id) if more else None,
    }


@router.get("/batches/{batch}")
def show(batch: str, ours: Ours) -> dict[str, Any]:
    """Show a batch with its jobs counted by state."""
    return batch_view(find(ours, batch))


@router.get("/batches/{batch}/results")
def results(
    batch: str,
    ours: Ours,
    after: Annotated[int, Query(ge=-1, le=MOST_PLACES, description="the last position you have")] = -1,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
) -> dict[str, Any]:
    """List the output lines of jobs that have ended, in input order. Jobs that have not leave gaps."""
    found = ours.storage.ready().finished(find(ours, batch).id, after, limit)
    return {"results": [finished_view(one) for one in found], "next": found[-1].job.position if found else None}


@router.post("/batches/{batch}/cancel")
def cancel(batch: str, ours: Ours) -> dict[str, Any]:
    """Cancel every job of the batch that has not ended."""
    inner = find(ours, batch).id
    cancelled = ours.storage.ready().cancel_batch(inner)
    return {"id": public_id("batch", inner), "cancelled": cancelled}


def find(ours: Shared, batch: str) -> BatchRecord:
    inner = inner_id("batch", batch)
    record = ours.storage.ready().batch(inner)
    if record is None:
        raise NotFound("batch", public_id("batch", inner))
    return record
