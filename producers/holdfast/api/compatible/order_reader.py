"""Reading the lines of one order, a page at a time: each becomes a job, or costs only itself."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from holdfast.api.compatible.kept_lines import MARK, lines_before, lines_from
from holdfast.client.installation import Installation
from holdfast.client.job_items import need_of, read_checked
from holdfast.client.job_templates import CommonFieldsByLine, JobTemplates, ReadJob, read_whole
from holdfast.client.submit_request import JobDefaults
from holdfast.client.webhook_receivers import demand_receivers
from holdfast.model.batch_order import BadLine, BatchOrder
from holdfast.model.errors import InvalidRequest
from holdfast.model.ids import new_ids
from holdfast.store.batch_orders import ImportPage
from holdfast.store.file_chunks import read_chunk
from holdfast.store.new_job import NewJob
from holdfast.wire.line_shape import take_apart

PAGE_LINES, PAGE_BYTES = 1_000, 8 * 1024 * 1024  # of one transaction
DEFAULTS = JobDefaults()
LEAST = 0.001  # seconds: a job of an order whose time is over expires at once


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


class OrderReader:
    """Reads the lines of one order, from where it stands."""

    def __init__(
        self, installation: Installation, order: BatchOrder, reader: LineReader, traceparent: str | None
    ) -> None:
        self._order, self._reader, self._plan = order, reader, installation.settings.plan
        store = installation.ready()
        remaining = max(LEAST, order.expires_at - store.now())
        self._read_chunk = lambda number: store.read(read_chunk, order.file, number)
        self._place, self._byte = order.next_line, order.next_byte
        self._alike, self._installation = JobTemplates(), installation
        self._common = CommonFieldsByLine(order.tenant, order.batch, traceparent, longest=remaining)
        self._number = lines_before(self._read_chunk, self._byte)

    def pages(self) -> Iterator[ImportPage]:
        """Yield page after page; the last says so, and may be empty."""
        lines = without_mark(lines_from(self._read_chunk, self._byte), self._byte)
        while not (page := self._page(lines)).is_last:
            yield page
        yield page

    def _page(self, lines: Iterator[tuple[bytes, int]]) -> ImportPage:
        jobs, bad_lines, size = list[NewJob](), list[BadLine](), 0
        ids = iter(new_ids(PAGE_LINES))  # lanes take equal jobs in id order
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

    def _job(self, id_: str, line: bytes) -> NewJob:
        """Make the job of a line, ready to be stored. Raises LineRefused."""
        try:
            read = self._read(line)
            return NewJob(self._common.of(read), id_, read.need, read.body, read.hash, read.custom_id, self._place)
        except InvalidRequest as error:
            raise self._reader.refused(line, error) from None

    def _read(self, line: bytes) -> ReadJob:
        """Read a line and what its job needs. Raises LineRefused, InvalidRequest."""
        shaped = take_apart(line)
        if shaped and shaped.custom_id and (read := self._alike.read(shaped)):
            self._reader.take_name(shaped.custom_id)
            return read
        parsed = read_checked(line, DEFAULTS, self._plan, self._reader.read(line))
        demand_receivers(self._installation, self._order.tenant, [parsed.webhook])
        need = need_of(parsed, self._plan)
        if shaped:
            self._alike.learn(shaped, parsed, need)
        return read_whole(parsed, need)


def without_mark(lines: Iterator[tuple[bytes, int]], start: int) -> Iterator[tuple[bytes, int]]:
    r"""Yield lines from byte ``start`` of a file on, without the byte order mark that may stand at its beginning.

    >>> list(without_mark(iter([(b"\xef\xbb\xbf{}", 6), (b"[]", 9)]), 0))
    [(b'{}', 6), (b'[]', 9)]
    """
    if start == 0 and (first := next(lines, None)) is not None:
        line, following = first
        yield line.removeprefix(MARK), following
    yield from lines
