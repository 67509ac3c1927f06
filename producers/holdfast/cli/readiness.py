"""When `holdfast up` works: what is missing until then, and the welcome at that moment."""

import http.client
import socket
import time
from collections.abc import Sequence

from holdfast.cli.processes import Child
from holdfast.cli.show import err, say
from holdfast.client.local import LocalBackend
from holdfast.config import Server
from holdfast.model.errors import StorageUnavailable

READY_SECONDS = 30.0  # before what is missing is told


class Readiness:
    """Tells whether jobs are taken in and worked on.

    The API has to answer, each worker of ``pool`` to be registered, and somebody to listen on each of ``ports``.
    """

    def __init__(self, server: Server, pool: Sequence[Child], backend: LocalBackend, ports: Sequence[int] = ()) -> None:
        self._server, self._pool, self._backend, self._ports = server, pool, backend, ports

    def missing(self) -> str | None:
        """Say what does not work; None where all does."""
        if not self._api_is_ready():
            return f"the API is not ready on port {self._server.port}"
        deaf = [port for port in self._ports if not listens(port)]
        if deaf:
            return f"the simulated provider does not listen on port {deaf[0]}"
        started = {child.process.pid for child in self._pool if child.process is not None}
        absent = len(self._pool) - len(started & self._registered())
        return f"{absent} of {len(self._pool)} workers are not registered" if absent else None

    def _registered(self) -> set[int]:
        try:
            workers = self._backend.workers()
        except StorageUnavailable:
            return set()
        return {worker.pid for worker in workers if worker.host == socket.gethostname()}

    def _api_is_ready(self) -> bool:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def listens(port: int) -> bool:
    """Tell whether somebody on this machine takes connections on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Welcome:
    """Says what to do next as soon as everything works."""

    def __init__(self, readiness: Readiness, lines: Sequence[str]) -> None:
        self._readiness, self._lines = readiness, lines
        self._until = time.monotonic() + READY_SECONDS
        self._done = self._warned = False

    def greet(self) -> None:
        """Look, and welcome once: late, too, after it was said what it waits for."""
        if self._done:
            return
        missing = self._readiness.missing()
        if missing is None:
            err().print("\n".join(self._lines))
            self._done = True
        elif time.monotonic() > self._until and not self._warned:
            say(f"{missing} yet; if it says why, that stands above")
            self._warned = True
