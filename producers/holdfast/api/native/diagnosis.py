"""Diagnosis: is it us or a provider, and which part of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.api.auth.request_context import Fleet

router = APIRouter(tags=["fleet"])


@router.get("/diagnose")
def diagnose(
    context: Fleet,
    provider: Annotated[str | None, Query(description="One provider; without, all.")] = None,
    calls: Annotated[bool, Query(description="Whether to call each model, 16 tokens at most.")] = True,  # noqa: FBT002 - a query has no positions
) -> dict[str, Any]:
    """Check network, keys, models and status page, and say where the trouble lies. Takes up to 15 seconds."""
    return context.backend.diagnose(provider, with_calls=calls)
