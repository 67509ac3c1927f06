"""Diagnosis: is it us or a provider, and which part of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from holdfast.api.auth.request_context import Fleet
from holdfast.api.native.fleet_answers import DiagnosisAnswer
from holdfast.api.openapi import shown
from holdfast.client.backend import View

router = APIRouter(tags=["fleet"])


@router.get("/diagnose", **shown(DiagnosisAnswer))
def diagnose(
    context: Fleet,
    provider: Annotated[str | None, Query(description="One provider; without, all.")] = None,
    calls: Annotated[bool, Query(description="Whether to call each model, 16 tokens at most.")] = True,  # noqa: FBT002 - a query has no positions
) -> View:
    """Check network, keys, models and status page, and say where the trouble lies. Takes up to 15 seconds."""
    return context.backend.diagnose(provider, with_calls=calls)
