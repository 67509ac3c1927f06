"""Turns the kept file of an order into jobs, page by page, beside the calls that this process answers.

An order is committed before its first job, so its client has an answer at once; whoever finds it open reads on where
the last committed page ended (docs/decisions/0043). A line that cannot become a job costs only itself.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import TypeVar

from holdfast.api.compatible.order_reader import LineReader, OrderReader
from holdfast.client.installation import Installation
from holdfast.client.submit_span import submit_span
from holdfast.model.batch_order import BatchOrder
from holdfast.model.errors import HoldfastError
from holdfast.model.ids import public_id
from holdfast.model.job import Offer, Submitted
from holdfast.store.batch_orders import ImportPage, add_page, find_open_orders, lease_order
from holdfast.store.cancel import cancel_pages
from holdfast.store.order_ends import end_orders

LEASE = 15.0  # seconds in which a page is read, at the latest
LOOK_EVERY = 1.0  # seconds between two looks for orders that are open
OFFERED = 2_000  # jobs of an order and a lane: a window of Redis holds no more, and workers refill it from SQL

log = logging.getLogger(__name__)

Page = TypeVar("Page")
ReaderOf = Callable[[Installation, BatchOrder], LineReader]  # of an order from where it stands


class BatchImporter:
    """One per application. ``readers`` by the API through which orders come."""

    def __init__(self, installation: Installation, readers: Mapping[str, ReaderOf]) -> None:
        self._installation, self._readers = installation, readers
        self._stopping, self._wake = Event(), asyncio.Event()

    def wake(self) -> None:
        """Look for orders now: one has been opened."""
        self._wake.set()

    async def run(self) -> None:
        """Until ``stop``: read orders, and close those whose jobs have all ended."""
        while not self._stopping.is_set():
            self._wake.clear()
            if not await self._step():
                await self._rest()

    async def _step(self) -> bool:
        """Read one order; False where there is none, or the storage is away."""
        try:
            return await asyncio.to_thread(self.read_one)
        except HoldfastError as error:
            log.info("orders of batches are read later: %s", error)
        except Exception:
            log.exception("an order of a batch is read again later")
        return False

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK_EVERY)
        except TimeoutError:
            return

    def stop(self) -> None:
        """End ``run`` behind the page that is being read."""
        self._stopping.set()
        self._wake.set()

    def read_one(self) -> bool:
        """Close orders that have ended, cancel what was asked for, and read an open one; False where there is none.

        Raises StorageUnavailable.
        """
        store = self._installation.ready()
        found = store.read(find_open_orders)
        if found.done:
            end_orders(store, found.done)
        for batch in found.cancelling:
            self._cancel(batch)
        order = store.write(lease_order, LEASE) if found.unread else None
        if order is None:
            return False
        with submit_span((), order.lines - order.next_line, public_id("batch", order.batch)) as traceparent:
            self._read(order, traceparent)
        return True

    def _cancel(self, batch: str) -> None:
        for _ in cancel_pages(self._installation.ready(), batch):
            if self._stopping.is_set():
                return

    def _read(self, order: BatchOrder, traceparent: str | None) -> None:
        """Read an order to its end, or until this process stops or another one has read a page of it."""
        reader, offers = self._readers[order.api](self._installation, order), OrderOffers()
        for page in read_ahead(OrderReader(self._installation, order, reader, traceparent).pages()):
            submitted = None if self._stopping.is_set() else self._keep(order, page)
            if submitted is None:
                return
            self._installation.offers.make(offers.of(submitted))
            if page.jobs and not submitted:  # the order is being cancelled: what was made before it ends too
                self._cancel(order.batch)
            order = replace(order, next_line=page.next_line, next_byte=page.next_byte)

    def _keep(self, order: BatchOrder, page: ImportPage) -> Sequence[Submitted] | None:
        """Commit a page; None where another process has read it."""
        submitted = self._installation.ready().write(add_page, order, page, LEASE)
        self._installation.crash_point("before_offer")
        return submitted


def read_ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """Yield the pages while a thread reads the next one: SQLite does not hold the lock of the interpreter meanwhile."""
    with ThreadPoolExecutor(1, "batch-reader") as reading:
        following = reading.submit(next, pages, None)
        while (page := following.result()) is not None:
            following = reading.submit(next, pages, None)
            yield page


class OrderOffers:
    """Which jobs of an order are offered: no more than the windows of their lanes hold.

    Whatever follows is behind what had no room, and workers find it in SQL. The first of each page goes on telling them
    that there is more.
    """

    def __init__(self) -> None:
        self._offered = Counter[str]()

    def of(self, submitted: Sequence[Submitted]) -> list[Offer]:
        """Return the offers of a page that has been committed; it is empty where the order was cancelled."""
        offers, seen = list[Offer](), set[str]()
        for offer in (one.offer for one in submitted):
            if offer and (self._offered[offer.lane] < OFFERED or offer.lane not in seen):
                offers.append(offer)
                self._offered[offer.lane] += 1
                seen.add(offer.lane)
        return offers
