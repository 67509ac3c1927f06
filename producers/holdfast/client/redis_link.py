"""A producer's way to Redis: opened at first use, never started by a producer."""

from collections.abc import Callable
from typing import ClassVar

from holdfast.config import Settings
from holdfast.lanes import Connection, Lanes, connect
from holdfast.lanes.actors import ActorQueue
from holdfast.lanes.connection import without_password
from holdfast.lanes.private_socket import is_listening
from holdfast.model.errors import QueueUnavailable

EMBEDDED = "embedded"


def shown_url(url: str) -> str:
    """Return the address of a database or Redis without its password."""
    return without_password(url) if "@" in url else url


class EmbeddedServerDown(QueueUnavailable):
    """The embedded server does not run: no worker and no API has started it. Jobs wait in SQL until one does."""

    code: ClassVar[str] = "no_server_yet"


class RedisLink:
    """Safe to share between threads. ``key`` finds what offers are signed with."""

    def __init__(self, settings: Settings, key: Callable[[], bytes] | None = None) -> None:
        storage = settings.storage
        self._connection: Connection = connect(
            storage.redis_url, storage.directory, namespace=storage.namespace, key=key
        )
        self._lanes = Lanes(self._connection)
        self._actors: ActorQueue | None = None
        self._embedded = storage.redis_url == EMBEDDED
        self._directory = storage.directory / "redis"
        self._seen = False

    def lanes(self) -> Lanes:
        """Return the lanes. Raises EmbeddedServerDown rather than start an embedded server without a worker."""
        if self._embedded and not self._seen:
            self._look()
            self._seen = True
        return self._lanes

    def actors(self) -> ActorQueue:
        """Return the queue of what workers do beside jobs. Raises QueueUnavailable."""
        self.lanes()
        if self._actors is None or self._actors.url != self._connection.url:
            self._actors = ActorQueue(self._connection)
        return self._actors

    def url(self) -> str:
        """Say where Redis is, without a password. Raises QueueUnavailable."""
        self.lanes()
        return self._connection.shown_url

    def close(self) -> None:
        if self._actors is not None:
            self._actors.stop()
        self._connection.close()

    def _look(self) -> None:
        if not is_listening(self._directory):
            raise EmbeddedServerDown(str(self._directory), "no embedded server runs there yet")
