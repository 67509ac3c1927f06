"""Turns the kept file of an order into jobs, page by page, beside the calls that this process answers.

An order is committed before its first job, so its client has an answer at once; whoever finds it open reads on where
the last committed page ended (docs/decisions/0043). A line that cannot become a job costs only itself.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, Protocol

from holdfast.api.compatible.kept_lines import lines_before, lines_from
from holdfast.client.alike_lines import AlikeLines
from holdfast.client.backend import JobDefaults
from holdfast.client.installation import Installation
from holdfast.client.job_items import read_checked
from holdfast.client.submission import need_of
from holdfast.model.batch_order import BadLine, BatchOrder
from holdfast.model.errors import HoldfastError, InvalidRequest
from holdfast.model.ids import new_id
from holdfast.model.job import Need, NewJob, Offer
from holdfast.store.batch_orders import add_page, end_orders, find_open_orders, lease_order
from holdfast.store.file_chunks import read_chunk
from holdfast.store.submit import Encoded, encode_job
from holdfast.wire.batch_line import ParsedLine
from holdfast.wire.line_shape import take_apart

PAGE_LINES, PAGE_BYTES = 1_000, 8 * 1024 * 1024  # of one transaction
LEASE = 15.0  # seconds in which a page is read, at the latest
LOOK_EVERY = 1.0  # seconds between two looks for orders that are open
DEFAULTS = JobDefaults()
LEAST = 0.001  # seconds: a job of an order whose time is over expires at once

log = logging.getLogger(__name__)


class LineRefused(Exception):
    """A line is none that its API takes."""

    def __init__(self, code: str, message: str, custom_id: str | None, param: str | None = None) -> None:
        super().__init__(code, message)
        self.code, self.message, self.custom_id, self.param = code, message, custom_id, param


class LineReader(Protocol):
    """What an API demands of the lines of one order. They are read in their order, each once."""

    def read(self, line: bytes) -> Mapping[str, Any] | None:
        """Check a line, and return it parsed where that is at hand. Raises LineRefused."""

    def take_name(self, custom_id: str) -> None:
        """Check the name of a line whose like was read before. Raises LineRefused."""

    def refused(self, line: bytes, error: InvalidRequest) -> LineRefused:
        """Say in the API's words why a line cannot become a job."""


ReaderOf = Callable[[Installation, BatchOrder], LineReader]  # of an order from where it stands


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Lines that become jobs in one transaction, with those that do not."""

    jobs: Sequence[Encoded]
    bad_lines: Sequence[BadLine]
    next_line: int
    next_byte: int
    is_last: bool


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
        """Close orders that have ended, and read an open one; False where there is none. Raises StorageUnavailable."""
        store = self._installation.ready()
        found = store.read(find_open_orders)
        if found.done:
            store.write(end_orders, found.done)
        order = store.write(lease_order, LEASE) if found.unread else None
        if order is None:
            return False
        reader = self._readers[order.api](self._installation, order)
        for page in OrderReader(self._installation, order, reader).pages():
            if self._stopping.is_set() or not self._keep(order, page):
                break
            order = replace(order, next_line=page.next_line, next_byte=page.next_byte)
        return True

    def _keep(self, order: BatchOrder, page: ImportPage) -> bool:
        """Commit a page and offer its jobs; False where another process has read it."""
        submitted = self._installation.ready().write(
            add_page,
            order,
            page.jobs,
            page.bad_lines,
            next_line=page.next_line,
            next_byte=page.next_byte,
            is_last=page.is_last,
            lease=LEASE,
        )
        self._installation.crash_point("before_offer")
        if submitted is None:
            return False
        self._installation.offers.make(
            [
                Offer(one.id, one.lane, replace(job.need, expires_at=one.expires_at))
                for (job, _, _), one in zip(page.jobs, submitted, strict=False)  # none of a cancelled order
            ]
        )
        return True


class OrderReader:
    """Reads the lines of one order, from where it stands."""

    def __init__(self, installation: Installation, order: BatchOrder, reader: LineReader) -> None:
        self._order, self._reader, self._plan = order, reader, installation.settings.plan
        store = installation.ready()
        self._remaining = max(LEAST, order.expires_at - store.now())
        self._read_chunk = lambda number: store.read(read_chunk, order.file, number)
        self._place, self._byte = order.next_line, order.next_byte
        self._alike = AlikeLines()
        self._number = lines_before(self._read_chunk, self._byte)

    def pages(self) -> Iterator[ImportPage]:
        """Yield page after page; the last says so, and may be empty."""
        lines = lines_from(self._read_chunk, self._byte)
        while not (page := self._page(lines)).is_last:
            yield page
        yield page

    def _page(self, lines: Iterator[tuple[bytes, int]]) -> ImportPage:
        jobs, bad_lines, size = list[Encoded](), list[BadLine](), 0
        ids = iter(sorted(new_id() for _ in range(PAGE_LINES)))  # lanes take equal jobs in id order
        for line, self._byte in lines:
            self._number += 1
            if not line.strip():
                continue
            try:
                jobs.append(self._job(next(ids), line))
            except LineRefused as refused:
                bad_lines.append(self._bad_line(refused))
            self._place, size = self._place + 1, size + len(line)
            if len(jobs) + len(bad_lines) == PAGE_LINES or size >= PAGE_BYTES:
                return ImportPage(jobs, bad_lines, self._place, self._byte, is_last=False)
        return ImportPage(jobs, bad_lines, self._place, self._byte, is_last=True)

    def _bad_line(self, refused: LineRefused) -> BadLine:
        return BadLine(self._place, self._number, refused.custom_id, refused.code, refused.message, refused.param)

    def _job(self, id_: str, line: bytes) -> Encoded:
        """Make the job of a line, ready to be stored. Raises LineRefused."""
        try:
            return encode_job(self._new_job(id_, *self._read(line)))
        except InvalidRequest as error:
            raise self._reader.refused(line, error) from None

    def _read(self, line: bytes) -> tuple[ParsedLine, Need]:
        """Read a line and what its job needs. Raises LineRefused, InvalidRequest."""
        shaped = take_apart(line)
        if shaped and (read := self._alike.read(shaped)):
            self._reader.take_name(shaped.custom_id)
            return read
        parsed = read_checked(line, DEFAULTS, self._plan, self._reader.read(line))
        need = need_of(parsed, self._plan)
        if shaped:
            self._alike.learn(shaped, parsed, need)
        return parsed, need

    def _new_job(self, id_: str, line: ParsedLine, need: Need) -> NewJob:
        return NewJob(
            id=id_,
            model=line.model,
            request=line.request,
            need=need,
            tenant=self._order.tenant,
            batch=self._order.batch,
            custom_id=line.custom_id,
            position=self._place,
            priority=line.priority,
            expires_in=min(line.expires_in or self._remaining, self._remaining),
            metadata=line.metadata,
        )
