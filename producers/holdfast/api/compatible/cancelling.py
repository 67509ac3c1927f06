"""Cancelling a batch: noted at once, and done beside the calls of this process where the batch is large."""

from starlette.concurrency import run_in_threadpool

from holdfast.api.app_state import AppState
from holdfast.model.batch_order import BatchOrder
from holdfast.store import Store
from holdfast.store.batch_orders import ask_cancel
from holdfast.store.cancel import cancel_pages


async def cancel_order(app_state: AppState, order: BatchOrder) -> None:
    """Cancel every request of an order that has not ended: a first page of them now, the others next.

    Once this returns, whatever of it is left is cancelled by some API process, though this one dies.
    """
    if order.ended_at is None:
        await run_in_threadpool(_begin, app_state.installation.ready(), order.batch)
        app_state.batch_importer.wake()


def _begin(store: Store, batch: str) -> None:
    store.write(ask_cancel, batch)
    next(cancel_pages(store, batch), 0)
