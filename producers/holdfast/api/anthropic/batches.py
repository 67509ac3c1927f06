"""``/v1/messages/batches``: create, list, look, results, cancel, delete, as Anthropic's SDK calls them."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from holdfast.api.anthropic.batch_creation import create_batch, read_creation
from holdfast.api.anthropic.batch_view import bad_line_result, batch_view, page_view, public_batch_id, read_batch_id
from holdfast.api.auth.request_context import Reading, RequestContext, Submitting
from holdfast.api.compatible.cancelling import cancel_order
from holdfast.api.compatible.client_api import ClientApi
from holdfast.api.streamed import in_pieces
from holdfast.client.output_form import OutputForm
from holdfast.model.batch_order import BatchOrder
from holdfast.model.errors import InvalidRequest, NotFound
from holdfast.model.ids import public_id
from holdfast.store.batch_orders import (
    delete_order,
    find_order,
    list_bad_lines,
    list_orders,
)
from holdfast.store.order_ends import end_orders

PATH = "/messages/batches"
PAGE = 500  # results that are read at once
JSONL = "application/x-jsonl"  # what Anthropic's API answers with
Batch = dict[str, Any]

router = APIRouter(tags=["anthropic"])


@router.post(PATH)
async def create(context: Submitting) -> Batch:
    """Create a message batch of up to 100,000 requests and 256 MB. Once this answers they are safe.

    What is wrong with the parameters of a request is its own result; what is wrong with the batch refuses it.
    """
    with await read_creation(context.request, context.caller.name) as creation:
        return batch_view(await create_batch(context, creation), base_of(context.request))


@router.get(PATH)
def list_batches(
    context: Reading,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
    before_id: str | None = None,
    after_id: str | None = None,
) -> dict[str, Any]:
    """List message batches, newest first: those that follow ``after_id``, or those right before ``before_id``."""
    before, after = (None if text is None else read_batch_id(text) for text in (before_id, after_id))
    store = context.app_state.installation.ready()
    found = store.read(list_orders, ClientApi.ANTHROPIC, context.tenant, limit + 1, after=after, before=before)
    page = found[-limit:] if before is not None else found[:limit]
    return page_view(page, base_of(context.request), has_more=len(found) > limit)


@router.get(PATH + "/{batch}")
def retrieve(batch: str, context: Reading) -> Batch:
    """Show a message batch. ``request_counts`` are true at any time."""
    return batch_view(order_of(context, batch), base_of(context.request))


@router.post(PATH + "/{batch}/cancel")
async def cancel(batch: str, context: Submitting) -> Batch:
    """Cancel every request of a message batch that has not ended."""
    await cancel_order(context.app_state, await run_in_threadpool(order_of, context, batch))
    return batch_view(await run_in_threadpool(order_of, context, batch), base_of(context.request))


@router.delete(PATH + "/{batch}")
def delete(batch: str, context: Submitting) -> Batch:
    """Delete a message batch that has ended, and its results."""
    order = order_of(context, batch)
    if order.ended_at is None:
        raise InvalidRequest(batch, "has not ended, and only ended batches can be deleted.", "Cancel it first.")
    context.app_state.installation.ready().write(delete_order, order.batch)
    return {"id": public_batch_id(order.batch), "type": "message_batch_deleted"}


@router.get(PATH + "/{batch}/results", response_class=Response)
def results(batch: str, context: Reading) -> Response:
    """Stream the results of a message batch that has ended, one a line, in any order."""
    order = order_of(context, batch)
    if order.ended_at is None:
        raise InvalidRequest(batch, "has not ended; its results can be read when it has.")
    return StreamingResponse(in_pieces(result_lines(context, order)), media_type=JSONL)


def order_of(context: RequestContext, batch: str) -> BatchOrder:
    """Read a batch, and close it where its last request has ended by now. Raises NotFound."""
    store, id_ = context.app_state.installation.ready(), read_batch_id(batch)
    order = store.read(find_order, id_, ClientApi.ANTHROPIC, context.tenant)
    if order is not None and order.read_at is not None and order.ended_at is None and not order.live:
        end_orders(store, [id_])
        order = store.read(find_order, id_, ClientApi.ANTHROPIC, context.tenant)
    if order is None:
        raise NotFound("batch", batch)
    return order


def result_lines(context: RequestContext, order: BatchOrder) -> Iterator[bytes]:
    """Yield requests that became no job, then the others in the order of the batch."""
    store, after = context.app_state.installation.ready(), -1
    while bad := store.read(list_bad_lines, order.batch, after, PAGE):
        yield from (bad_line_result(each) + b"\n" for each in bad)
        after = bad[-1].position
    after, batch = -1, public_id("batch", order.batch)
    while lines := context.backend.output_lines(batch, after, PAGE, OutputForm.ANTHROPIC):
        yield from (line.text + b"\n" for line in lines)
        after = lines[-1].position


def base_of(request: Request) -> str:
    return str(request.base_url).rstrip("/")
