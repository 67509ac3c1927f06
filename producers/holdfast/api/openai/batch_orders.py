"""Finding the batches that were created through OpenAI's API."""

from holdfast.api.auth.request_context import RequestContext
from holdfast.api.compatible.client_api import ClientApi
from holdfast.model.batch_order import BatchOrder
from holdfast.store.batch_orders import find_order
from holdfast.store.order_ends import end_orders


def find_batch(context: RequestContext, id_: str) -> BatchOrder | None:
    """Read a batch, and close it where its last request has ended by now; None where this caller has none such."""
    store = context.app_state.installation.ready()
    order = store.read(find_order, id_, ClientApi.OPENAI, context.tenant)
    if order is not None and order.read_at is not None and order.ended_at is None and not order.live:
        end_orders(store, [id_])
        order = store.read(find_order, id_, ClientApi.OPENAI, context.tenant)
    return order
