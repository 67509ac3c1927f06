"""How to reach Redis: the one place that reads a Redis URL. ``embedded`` is a private server of our own."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import redis
import redis.asyncio

from holdfast.lanes.embedded import EmbeddedServer
from holdfast.lanes.garbage import GarbageRemover, is_garbage
from holdfast.lanes.keys import Keys
from holdfast.lanes.message_signer import MessageSigner
from holdfast.lanes.topology import FAILED, is_several, open_asynchronous, open_sync, problem_of_one, read, reason
from holdfast.lanes.without_password import without_password
from holdfast.model.environment import REDIS_URL
from holdfast.model.errors import ConfigError, QueueUnavailable

T = TypeVar("T")

EMBEDDED = "embedded"
SCHEMES = ("redis", "rediss", "unix")
EXPECTED = f"expected {EMBEDDED!r}, redis://…, rediss://…, unix://…, sentinel://… or redis+cluster://…"


def connect(
    redis_url: str, directory: Path, *, namespace: str = "hf", key: Callable[[], bytes] | None = None
) -> "Connection":
    """Say where Redis is; nothing is opened yet. ``directory`` holds the embedded server's data. Raises ConfigError.

    ``key`` finds the key that messages are signed with, when it is first needed; without one nothing is signed.
    """
    if redis_url == EMBEDDED:
        return Connection(None, EmbeddedServer(directory / "redis"), Keys(namespace), key)
    if problem := _problem(redis_url):
        raise ConfigError((f"storage.redis_url or {REDIS_URL}: {problem}; got {without_password(redis_url)!r}",))
    return Connection(redis_url, None, Keys(namespace), key)


def _problem(url: str) -> str | None:
    if not is_several(url):
        return problem_of_one(url) if urlsplit(url).scheme in SCHEMES else EXPECTED
    try:
        read(url)
    except ValueError as error:
        return str(error)
    return None


class Connection:
    """A Redis that lanes and gates share. Lazy: an embedded server starts when somebody first needs its URL."""

    def __init__(
        self,
        url: str | None,
        embedded: EmbeddedServer | None,
        keys: Keys,
        key: Callable[[], bytes] | None = None,
    ) -> None:
        self._url, self._embedded, self.keys, self._key = url, embedded, keys, key
        self._signer: MessageSigner | None = None
        self._client: redis.Redis | None = None
        self._closed = False
        self.remove_garbage = GarbageRemover(self.sync, keys)

    @property
    def url(self) -> str:
        """What a client connects to, password and all. Raises QueueUnavailable."""
        if self._closed:
            raise QueueUnavailable("a closed connection", "this process is done with Redis")
        if self._url is None:
            assert self._embedded is not None
            self._url = self._embedded.url
        return self._url

    @property
    def signer(self) -> MessageSigner | None:
        """What signs and checks messages; None where there is no key. Raises what finding the key raises."""
        if self._signer is None and self._key is not None:
            self._signer = MessageSigner(self._key())
        return self._signer

    @property
    def shown_url(self) -> str:
        """The same without a password, for status pages and errors."""
        return without_password(self.url)

    def sync(self) -> redis.Redis:
        """The client for threads; one pool for all of them."""
        if self._client is None:
            self._client = open_sync(self.url)
        return self._client

    def ask(self, question: Callable[[redis.Redis], T]) -> T:
        """Put ``question`` to Redis; where garbage is in the way, delete it and ask again. Raises QueueUnavailable."""
        try:
            return self._ask_past_garbage(question)
        except redis.ConnectionError as error:
            self.revive()
            raise self.unavailable(error) from error
        except FAILED as error:
            raise self.unavailable(error) from error

    def _ask_past_garbage(self, question: Callable[[redis.Redis], T]) -> T:
        try:
            return question(self.sync())
        except redis.ResponseError as error:
            if not is_garbage(error):
                raise
            self.remove_garbage(error)
            return question(self.sync())

    def asynchronous(self) -> "redis.asyncio.Redis":
        """Make a new client for the running event loop; whoever asked closes it."""
        return open_asynchronous(self.url)

    def revive(self) -> bool:
        """Start the embedded server again if it is gone. Returns whether clients must be made anew."""
        if self._embedded is None or self._closed:
            return False
        url = self._embedded.ensure()
        moved = self._url is not None and url != self._url
        if moved and self._client is not None:
            self._client.close()
            self._client = None
        self._url = url
        return moved

    async def ready(self) -> None:
        """Start the embedded server, if there is one, without holding up the event loop."""
        if self._url is None:
            await asyncio.to_thread(lambda: self.url)

    async def revive_soon(self) -> bool:
        return await asyncio.to_thread(self.revive) if self._embedded else False

    def unavailable(self, error: Exception) -> QueueUnavailable:
        """Put ``error`` into our own words."""
        where = without_password(self._url) if self._url else "the embedded server"
        return QueueUnavailable(where, reason(error))

    def close(self) -> None:
        """Close the shared client and let go of the embedded server, for good."""
        self._closed = True
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._embedded is not None:
            self._embedded.close()
