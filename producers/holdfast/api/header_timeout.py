"""Bounds for a request's header, which uvicorn itself would read for ever: its time and its size."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# For a request's first line and headers, from the connection or from their first byte; as nginx and Node.js give. Who
# begins a thousand calls at once opens their connections long before it comes to write to the last.
HEAD_SECONDS = 60.0
HEAD_BYTES = 32 * 1024  # of them


class HeaderTimeoutProtocol(HttpToolsProtocol):
    """Closes a connection that does not come to the point. Bodies have their own clock (``body_limits.py``)."""

    head_seconds: ClassVar[float] = HEAD_SECONDS
    _due: asyncio.TimerHandle | None = None
    _reads_body = False  # also of one that was answered before its end
    _head_bytes = 0  # of a header that has not ended

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._stop_timer()
        else:
            self._start_timer()
            self._bound_head(len(data))

    def on_headers_complete(self) -> None:
        self._reads_body, self._head_bytes = True, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reads_body = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _bound_head(self, more: int) -> None:
        """Refuse a header that comes to no end: the parser keeps all of it."""
        self._head_bytes = 0 if self._reads_body else self._head_bytes + more
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The header of the request is too large.")

    def _start_timer(self) -> None:
        """Start the clock unless it runs: a byte now and then does not set it back."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(self.head_seconds, self._time_out)

    def _stop_timer(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _time_out(self) -> None:
        self._due = None
        if not self._is_answering():
            self.transport.close()
