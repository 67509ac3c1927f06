"""The state of everything on one page, and the books."""

from typing import Any

from fastapi import APIRouter

from holdfast.api.auth.request_context import Watching

router = APIRouter(tags=["operating"])


@router.get("/ledger")
def ledger(context: Watching) -> dict[str, Any]:
    """Compute the ledger equation from SQL: what was accepted is accounted for."""
    return context.backend.ledger()


@router.get("/status")
def status(context: Watching) -> dict[str, Any]:
    """Show storage, workers, lanes and routes."""
    return context.backend.status()
