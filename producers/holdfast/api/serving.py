"""Run the application on its port until a signal ends it."""

import asyncio
import gc
import socket
from contextlib import ExitStack
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from holdfast.api.app import create_app
from holdfast.api.app_state import AppState
from holdfast.api.auth.host_guard import check_binding
from holdfast.api.header_timeout import HeaderTimeoutProtocol
from holdfast.config import Settings
from holdfast.config.pool_socket import listening
from holdfast.telemetry.export import export_spans
from holdfast.telemetry.stderr_logs import log_to_stderr

# Seconds for which a connection may be idle. Longer than clients keep theirs (httpx 5, aiohttp 15, load balancers 60):
# where the server closes first, a request crosses the close, and one that its client does not repeat is lost.
KEEP_ALIVE = 75
LAST_ANSWERS = 5  # seconds that open requests have to end when the server stops


class ApiServer(uvicorn.Server):
    """A server that prepares its dashboard behind its first requests.

    It ends streams of events, which have no end of their own, before it waits for open requests.
    """

    _preparing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._preparing = asyncio.create_task(self._state.dashboard.prepare())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.events.end()
        if self._preparing is not None:
            self._preparing.cancel()
        await super().shutdown(sockets)

    @property
    def _state(self) -> AppState:
        assert isinstance(self.config.app, FastAPI)
        state = self.config.app.state.holdfast
        assert isinstance(state, AppState)
        return state


def server_of(settings: Settings, pool_socket: Path | None = None) -> uvicorn.Server:
    """Make the server, to be run by whoever also runs other things. Raises ConfigError."""
    check_binding(settings)
    config = uvicorn.Config(
        create_app(settings, pool_socket),
        host=settings.server.host,
        port=settings.server.port,
        log_config=None,  # its lines go where ours do
        log_level="warning",
        access_log=False,
        http=HeaderTimeoutProtocol,
        ws="none",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_ANSWERS,
    )
    return ApiServer(config)


def serve(settings: Settings, pool_socket: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigError where others could reach us and no key exists.

    ``pool_socket``: where commands of this folder are answered, too, as those of whoever operates it.
    """
    log_to_stderr()
    export_spans("holdfast-api")
    server = server_of(settings, pool_socket)
    gc.freeze()  # what is loaded by now stays: no request waits while it is looked through
    with ExitStack() as stack:
        more = [stack.enter_context(listening(pool_socket))] if pool_socket else []
        server.run([server.config.bind_socket(), *more] if more else None)
