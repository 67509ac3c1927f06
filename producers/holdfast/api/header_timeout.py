"""A time-out for a request's header: uvicorn itself would wait for ever for its end."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # for a request's first line and headers, from the connection or from their first byte
HEAD_BYTES = 32 * 1024  # of them


class HeaderTimeoutProtocol(H11Protocol):
    """Closes a connection that does not come to the point. Bodies have their own clock (``caps.py``)."""

    head_seconds: ClassVar[float] = HEAD_SECONDS
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._stop_timer()
        else:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

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
