"""Alerts that people were told of."""

from typing import Annotated

from fastapi import APIRouter, Query

from holdfast.api.auth.request_context import Watching
from holdfast.api.native.webhook_answers import AlertList
from holdfast.api.openapi import shown
from holdfast.client.alerts import alerts_view
from holdfast.client.backend import View

router = APIRouter(prefix="/alerts", tags=["operating"])


@router.get("", **shown(AlertList))
def list_alerts(context: Watching, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> View:
    """List troubles that people were told of, newest first; ``ended_at`` is null while they last."""
    return alerts_view(context.app_state.installation, limit)
