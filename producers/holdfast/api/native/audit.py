"""The audit log: what operators did, and what was refused. It concerns all tenants: who sees the fleet sees it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from holdfast.api.auth.request_context import Watching
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.filters import AuditPageQuery
from holdfast.api.native.fleet_answers import AuditPage
from holdfast.api.openapi import shown
from holdfast.client.list_filters import audit_filter

router = APIRouter(prefix="/audit", tags=["operating"])


@router.get("", **shown(AuditPage, more=UNCHANGED))
def list_audit(
    context: Watching, query: Annotated[AuditPageQuery, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """List who did what, newest first. Acts are written with what they do, and never change."""
    where = audit_filter(query.model_dump())
    return tagged_page(context.backend.audit(where, query.limit, query.cursor), if_none_match)
