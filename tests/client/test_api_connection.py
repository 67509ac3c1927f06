"""A request is repeated while its server is away: a while for any, longer for the pool of one's own folder."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from holdfast.client import api_connection
from holdfast.client.api_connection import ApiConnection
from holdfast.client.errors import ServerUnavailable
from holdfast.client.http import RESTARTED
from holdfast.client.server_link import ServerAnswer, ServerRequest


class RestartedServer:
    """Nobody answers the first requests."""

    url = "unix:here"

    def __init__(self, silent: int) -> None:
        self.silent = silent

    def send(self, _request: ServerRequest) -> ServerAnswer:
        self.silent -= 1
        if self.silent >= 0:
            raise ServerUnavailable(self.url, "connection refused")
        return ServerAnswer(200, {}, b'{"up": true}')

    def open(self, _path: str) -> AbstractContextManager[tuple[ServerAnswer, Iterator[bytes]]]:
        raise NotImplementedError

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_connection, "PAUSE", 0.0)


def test_a_command_waits_for_the_pool_that_starts_its_server_again() -> None:
    assert ApiConnection(RestartedServer(RESTARTED - 1), RESTARTED).get("/status") == {"up": True}


def test_a_server_that_stays_away_is_said_to() -> None:
    with pytest.raises(ServerUnavailable, match="connection refused"):
        ApiConnection(RestartedServer(RESTARTED)).get("/status")
