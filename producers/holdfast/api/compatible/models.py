"""``/v1/models``, in the shape of whichever SDK asks: both have the same path."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from holdfast.api.auth.request_context import Reading
from holdfast.api.compatible.client_api import ClientApi, client_api_of
from holdfast.api.compatible.known_models import KnownModel, find_model, known_models
from holdfast.model.iso_time import iso

View = dict[str, Any]
MADE_AT = 0  # a configuration keeps no date of its models
router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
def list_models(
    context: Reading,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
    after_id: str | None = None,
    before_id: str | None = None,
) -> View:
    """List the models that calls may name. Anthropic's clients read them by pages, OpenAI's all at once."""
    models = known_models(context.settings)
    if client_api_of(context.request.scope) is ClientApi.ANTHROPIC:
        return anthropic_page(models, limit, after_id, before_id)
    return {"object": "list", "data": [openai_view(model) for model in models]}


@router.get("/{model:path}")
def retrieve(model: str, context: Reading) -> View:
    """Show a model: an alias, ``provider/model``, or a provider's own name."""
    found = find_model(context.settings, model)
    is_anthropic = client_api_of(context.request.scope) is ClientApi.ANTHROPIC
    return anthropic_view(found) if is_anthropic else openai_view(found)


def openai_view(model: KnownModel) -> View:
    return {"id": model.id, "object": "model", "created": MADE_AT, "owned_by": model.owner}


def anthropic_view(model: KnownModel) -> View:
    named = {"type": "model", "id": model.id, "display_name": model.id}
    return {**named, "created_at": iso(MADE_AT), "lifecycle": "active"}


def anthropic_page(models: list[KnownModel], limit: int, after: str | None, before: str | None) -> View:
    """Cut a page out of the list, as ``anthropic.pagination.SyncPage`` asks for it."""
    names = [model.id for model in models]
    start = names.index(after) + 1 if after in names else 0
    end = names.index(before) if before in names else len(models)
    page = models[start:end][:limit] if before is None else models[start:end][-limit:]
    left = end - start - len(page)
    first, last = (page[0].id, page[-1].id) if page else (None, None)
    return {"data": list(map(anthropic_view, page)), "has_more": left > 0, "first_id": first, "last_id": last}
