"""``/v1/batches``: create, retrieve, list, cancel, as OpenAI's SDK calls them."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from holdfast.api.auth.request_context import Reading, RequestContext, Submitting
from holdfast.api.compatible.cancelling import cancel_order
from holdfast.api.compatible.client_api import ClientApi
from holdfast.api.openai.batch_creation import NewBatch, create_batch
from holdfast.api.openai.batch_orders import find_batch
from holdfast.api.openai.batch_view import MOST_ERRORS, batch_view
from holdfast.api.openai.file_view import page_view
from holdfast.model.batch_order import BatchOrder
from holdfast.model.errors import InvalidId, NotFound
from holdfast.model.ids import inner_id
from holdfast.store.batch_orders import list_bad_lines, list_orders

View = dict[str, Any]
router = APIRouter(prefix="/batches", tags=["openai"])


@router.post("")
async def create(context: Submitting, asked: NewBatch) -> View:
    """Create a batch of a file that was uploaded. Once this answers, none of its requests is lost.

    Its lines are checked next: ``errors`` lists every one that cannot run, and costs no other.
    """
    return await run_in_threadpool(shown, context, await create_batch(context, asked))


@router.get("")
def list_batches(context: Reading, limit: Annotated[int, Query(ge=1, le=100)] = 20, after: str | None = None) -> View:
    """List batches, newest first, beyond ``after``."""
    beyond = None if after is None else read_batch_id(after)
    store = context.app_state.installation.ready()
    found = store.read(list_orders, ClientApi.OPENAI, context.tenant, limit + 1, after=beyond)
    return page_view([shown(context, order) for order in found[:limit]], has_more=len(found) > limit)


@router.get("/{batch}")
def retrieve(batch: str, context: Reading) -> View:
    """Show a batch with its requests counted as they stand."""
    return shown(context, order_of(context, batch))


@router.post("/{batch}/cancel")
async def cancel(batch: str, context: Submitting) -> View:
    """Cancel every request of a batch that has not ended."""
    await cancel_order(context.app_state, await run_in_threadpool(order_of, context, batch))
    return await run_in_threadpool(lambda: shown(context, order_of(context, batch)))


def shown(context: RequestContext, order: BatchOrder) -> View:
    bad: Sequence[Any] = ()
    if order.bad_lines:
        bad = context.app_state.installation.ready().read(list_bad_lines, order.batch, limit=MOST_ERRORS)
    return batch_view(order, bad)


def read_batch_id(text: str) -> str:
    """Read the id of a batch. Raises NotFound: nothing is called so."""
    try:
        return inner_id("batch", text)
    except InvalidId:
        raise NotFound("Batch", text[:80]) from None


def order_of(context: RequestContext, batch: str) -> BatchOrder:
    """Read a batch. Raises NotFound."""
    order = find_batch(context, read_batch_id(batch))
    if order is None:
        raise NotFound("Batch", batch)
    return order
