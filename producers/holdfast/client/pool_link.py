"""Requests through the Unix socket of the pool that `holdfast up` runs in this folder: a connection for each."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

from holdfast.client.errors import ServerUnavailable
from holdfast.client.server_link import ACCEPT, ServerAnswer, ServerRequest

SECONDS = 60.0  # for one answer
BLOCK = 65_536  # bytes


class SocketConnection(HTTPConnection):
    """A connection to a Unix socket; the server answers to the name that only this machine has."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


class PoolLink:
    """``path`` is that of the socket, relative to the working directory."""

    def __init__(self, path: Path) -> None:
        self.url, self._path = f"unix:{path}", path

    def send(self, request: ServerRequest) -> ServerAnswer:
        with self._asked(request) as response:
            return answer_of(response, response.read())

    @contextmanager
    def open(self, path: str) -> Iterator[tuple[ServerAnswer, Iterator[bytes]]]:
        with self._asked(ServerRequest("GET", path)) as response:
            yield answer_of(response), iter(lambda: response.read(BLOCK), b"")

    def close(self) -> None: ...

    @contextmanager
    def _asked(self, request: ServerRequest) -> Iterator[HTTPResponse]:
        try:
            with closing(SocketConnection(self._path)) as connection:
                connection.request(
                    request.method,
                    f"/api/v1{request.path}",
                    request.content or None,
                    {**ACCEPT, **request.headers},
                )
                yield connection.getresponse()
        except (OSError, HTTPException) as error:
            raise ServerUnavailable(self.url, str(error) or type(error).__name__) from error


def answer_of(response: HTTPResponse, content: bytes = b"") -> ServerAnswer:
    return ServerAnswer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
