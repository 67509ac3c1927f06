"""Where processes share a token: encrypted, in Redis, for as long as it is good. One at a time gets the next one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

import orjson
import redis
from redis.lock import Lock

from holdfast.credentials.token import Token
from holdfast.credentials.token_cipher import TokenCipher
from holdfast.lanes import Connection
from holdfast.model.errors import QueueUnavailable

T = TypeVar("T")


class RefreshLock(StrEnum):
    """What became of a try to get the lock under which one process of the fleet asks the issuer."""

    ACQUIRED = "it is ours"
    HELD = "another process is asking"
    RESTING = "it failed, and is left alone for a while"


class TokenCache(Protocol):
    """One place for one credential's token. No method raises: a cache that is away holds nothing, and all may ask."""

    async def look(self) -> Token | None: ...

    async def put(self, token: Token) -> None: ...

    async def claim(self, seconds: float) -> RefreshLock:
        """Try to get the lock, for at most ``seconds``. Never waits."""
        ...

    async def rest(self, seconds: float) -> None:
        """Release the lock, and let nobody have it for ``seconds``: the issuer failed."""
        ...

    async def release(self) -> None: ...


class NoTokenCache:
    """For a process that shares with nobody."""

    async def look(self) -> Token | None:
        return None

    async def put(self, token: Token) -> None: ...

    async def claim(self, seconds: float) -> RefreshLock:  # noqa: ARG002  the port's
        return RefreshLock.ACQUIRED

    async def rest(self, seconds: float) -> None: ...

    async def release(self) -> None: ...


@dataclass(slots=True)
class RedisTokenCache:
    """The end of a token's life is the key's own time to live, so processes need not agree on a clock."""

    connection: Connection
    name: str
    cipher: Callable[[], TokenCipher | None]
    clock: Callable[[], float] = time.monotonic
    _lock: Lock | None = field(default=None, init=False)

    async def look(self) -> Token | None:
        return await self._ask(self._look, None)

    async def put(self, token: Token) -> None:
        await self._ask(lambda client: self._put(client, token), None)

    async def claim(self, seconds: float) -> RefreshLock:
        return await self._ask(lambda client: self._claim(client, seconds), RefreshLock.ACQUIRED)

    async def rest(self, seconds: float) -> None:
        await self._ask(lambda client: self._rest(client, seconds), None)

    async def release(self) -> None:
        await self._ask(lambda _: self._release(), None)

    @property
    def _place(self) -> str:
        return f"{self.connection.keys.root}token:{self.name}"

    def _claim(self, client: redis.Redis, seconds: float) -> RefreshLock:
        if client.exists(f"{self._place}:resting"):
            return RefreshLock.RESTING
        self._lock = client.lock(f"{self._place}:turn", timeout=seconds, blocking=False, thread_local=False)
        return RefreshLock.ACQUIRED if self._lock.acquire() else RefreshLock.HELD

    def _rest(self, client: redis.Redis, seconds: float) -> None:
        if self._lock is not None and self._lock.owned():
            client.set(f"{self._place}:resting", "1", px=int(seconds * 1000))
            self._release()

    def _release(self) -> None:
        if self._lock is not None and self._lock.owned():
            self._lock.release()

    def _look(self, client: redis.Redis) -> Token | None:
        cipher = self.cipher()
        now = self.clock()  # before the answer: the life left is never thought longer than it is
        pipe = client.pipeline()
        pipe.get(self._place)
        pipe.pttl(self._place)
        sealed, left = pipe.execute()
        plain = cipher.decrypt(str(sealed)) if cipher is not None and sealed is not None and left > 0 else None
        if plain is None:
            return None
        found = orjson.loads(plain)
        expires = now + left / 1000
        return Token(found["token"], expires - found["life"], expires)

    def _put(self, client: redis.Redis, token: Token) -> None:
        cipher, left = self.cipher(), int((token.expires - self.clock()) * 1000)
        if cipher is not None and left > 0:
            client.set(self._place, cipher.encrypt(orjson.dumps({"token": token.value, "life": token.life})), px=left)

    async def _ask(self, question: Callable[[redis.Redis], T], otherwise: T) -> T:
        def ask() -> T:
            try:
                return question(self.connection.sync())
            except (redis.RedisError, QueueUnavailable):
                return otherwise  # the gate has said so already

        return await asyncio.to_thread(ask)
