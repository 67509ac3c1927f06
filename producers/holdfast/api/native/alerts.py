"""Alerts that people were told of."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from holdfast.api.auth.request_context import Watching
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.filters import AlertPageQuery
from holdfast.api.native.webhook_answers import AlertsPage
from holdfast.api.openapi import shown
from holdfast.client.alerts import alerts_page

router = APIRouter(prefix="/alerts", tags=["operating"])


@router.get("", **shown(AlertsPage, more=UNCHANGED))
def list_alerts(
    context: Watching, query: Annotated[AlertPageQuery, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """List troubles that people were told of, newest first; ``ended_at`` is null while they last."""
    return tagged_page(alerts_page(context.app_state.installation, query.limit, query.cursor), if_none_match)
