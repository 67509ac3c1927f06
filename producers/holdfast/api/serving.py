"""Run the application on its port until a signal ends it."""

import gc
import socket

import uvicorn
from fastapi import FastAPI

from holdfast.api.app import create_app
from holdfast.api.auth.host_guard import check_binding
from holdfast.api.header_timeout import HEAD_BYTES, HeaderTimeoutProtocol
from holdfast.config import Settings
from holdfast.telemetry.export import export_spans

LAST_ANSWERS = 5  # seconds that open requests have to end when the server stops


class ApiServer(uvicorn.Server):
    """A server that ends streams of events, which have no end of their own, before it waits for open requests."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        assert isinstance(app, FastAPI)
        app.state.holdfast.events.end()
        await super().shutdown(sockets)


def server_of(settings: Settings) -> uvicorn.Server:
    """Make the server, to be run by whoever also runs other things. Raises ConfigError."""
    check_binding(settings)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.server.host,
        port=settings.server.port,
        log_level="warning",
        access_log=False,
        http=HeaderTimeoutProtocol,
        ws="none",
        h11_max_incomplete_event_size=HEAD_BYTES,
        server_header=False,
        timeout_graceful_shutdown=LAST_ANSWERS,
    )
    return ApiServer(config)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigError where others could reach us and no key exists."""
    export_spans("holdfast-api")
    server = server_of(settings)
    gc.freeze()  # what is loaded by now stays: no request waits while it is looked through
    server.run()
