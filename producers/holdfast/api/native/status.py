"""The state of everything on one page, and the books."""

from fastapi import APIRouter

from holdfast.api.auth.request_context import Watching
from holdfast.api.native.fleet_answers import LedgerView, StatusView
from holdfast.api.openapi import shown
from holdfast.client.backend import View

router = APIRouter(tags=["operating"])


@router.get("/ledger", **shown(LedgerView))
def show_ledger(context: Watching) -> View:
    """Compute the ledger equation from SQL: what was accepted is accounted for."""
    return context.backend.ledger()


@router.get("/status", **shown(StatusView))
def show_status(context: Watching) -> View:
    """Show storage, workers, lanes and routes."""
    return context.backend.status()
