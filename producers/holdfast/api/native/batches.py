"""Batches: list, look, results, cancel."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.api.auth.request_context import Reading, Submitting
from holdfast.api.native.filters import Name
from holdfast.api.native.links import with_results
from holdfast.api.native.submission import MOST_PLACES

router = APIRouter(tags=["batches"])


@router.get("/batches")
def list_batches(
    context: Reading,
    tenant: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List batches, newest first."""
    page = context.backend.batches(limit, cursor, tenant)
    return page | {"batches": [with_results(batch) for batch in page["batches"]]}


@router.get("/batches/{batch}")
def show(batch: str, context: Reading) -> dict[str, Any]:
    """Show a batch with its jobs counted by state."""
    return with_results(context.backend.batch(batch))


@router.get("/batches/{batch}/results")
def results(
    batch: str,
    context: Reading,
    after: Annotated[int, Query(ge=-1, le=MOST_PLACES, description="the last position you have")] = -1,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
) -> dict[str, Any]:
    """List the output lines of jobs that have ended, in input order. Jobs that have not leave gaps."""
    return context.backend.results(batch, after, limit)


@router.post("/batches/{batch}/cancel")
def cancel(batch: str, context: Submitting) -> dict[str, Any]:
    """Cancel every job of the batch that has not ended."""
    return context.backend.cancel_batch(batch)
