"""Batches: list, look, results, cancel."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.api.auth.request_context import Reading, Submitting
from holdfast.api.native.filters import Name
from holdfast.api.native.links import batch_view
from holdfast.api.native.submission import MOST_PLACES
from holdfast.client.views import finished_view
from holdfast.model.ids import inner_id, public_id

router = APIRouter(tags=["batches"])


@router.get("/batches")
def list_batches(
    ours: Reading,
    tenant: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List batches, newest first."""
    before = inner_id("batch", cursor) if cursor else None
    batches = ours.jobs().batches(tenant, limit, before)
    more = len(batches) == limit
    return {
        "batches": [batch_view(batch) for batch in batches],
        "next": public_id("batch", batches[-1].id) if more else None,
    }


@router.get("/batches/{batch}")
def show(batch: str, ours: Reading) -> dict[str, Any]:
    """Show a batch with its jobs counted by state."""
    return batch_view(ours.jobs().batch(inner_id("batch", batch)))


@router.get("/batches/{batch}/results")
def results(
    batch: str,
    ours: Reading,
    after: Annotated[int, Query(ge=-1, le=MOST_PLACES, description="the last position you have")] = -1,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
) -> dict[str, Any]:
    """List the output lines of jobs that have ended, in input order. Jobs that have not leave gaps."""
    found = ours.jobs().finished(inner_id("batch", batch), after, limit)
    return {"results": [finished_view(one) for one in found], "next": found[-1].job.position if found else None}


@router.post("/batches/{batch}/cancel")
def cancel(batch: str, ours: Submitting) -> dict[str, Any]:
    """Cancel every job of the batch that has not ended."""
    inner = inner_id("batch", batch)
    cancelled = ours.jobs().cancel_batch(inner)
    return {"id": public_id("batch", inner), "cancelled": cancelled}
