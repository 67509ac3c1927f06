"""Where processes share a token: sealed, in Redis, for as long as it is good. And whose turn it is to get the next."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

import orjson
import redis

from holdfast.credentials.token import Token
from holdfast.credentials.token_cipher import TokenCipher
from holdfast.lanes import Connection
from holdfast.model.errors import QueueUnavailable

T = TypeVar("T")

RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
REST = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], 'rest', 'px', ARGV[2]) end return 0"


class RefreshLock(StrEnum):
    """Whose turn it is to ask the issuer."""

    OURS = "it is ours"
    OTHERS = "another process is asking"
    NOBODYS = "it failed, and is left alone for a while"


class TokenCache(Protocol):
    """One place for one credential's token. No method raises: a cache that is away holds nothing, and all may ask."""

    async def look(self) -> Token | None: ...

    async def put(self, token: Token) -> None: ...

    async def claim(self, seconds: float) -> RefreshLock:
        """Take the turn to ask the issuer, for at most ``seconds``, if nobody has it."""
        ...

    async def rest(self, seconds: float) -> None:
        """Give our turn to nobody for ``seconds``: the issuer failed."""
        ...

    async def release(self) -> None: ...


class NoTokenCache:
    """For a process that shares with nobody."""

    async def look(self) -> Token | None:
        return None

    async def put(self, token: Token) -> None: ...

    async def claim(self, seconds: float) -> RefreshLock:  # noqa: ARG002  the port's
        return RefreshLock.OURS

    async def rest(self, seconds: float) -> None: ...

    async def release(self) -> None: ...


@dataclass(slots=True)
class RedisTokenCache:
    """The end of a token's life is the key's own time to live, so processes need not agree on a clock."""

    connection: Connection
    name: str
    cipher: Callable[[], TokenCipher | None]
    clock: Callable[[], float] = time.monotonic
    _me: str = field(default_factory=lambda: os.urandom(8).hex())

    async def look(self) -> Token | None:
        return await self._ask(self._look, None)

    async def put(self, token: Token) -> None:
        await self._ask(lambda client: self._put(client, token), None)

    async def claim(self, seconds: float) -> RefreshLock:
        return await self._ask(lambda client: self._claim(client, int(seconds * 1000)), RefreshLock.OURS)

    async def rest(self, seconds: float) -> None:
        await self._ask(lambda client: client.eval(REST, 1, self._turn, self._me, str(int(seconds * 1000))), None)

    async def release(self) -> None:
        await self._ask(lambda client: client.eval(RELEASE, 1, self._turn, self._me), None)

    @property
    def _place(self) -> str:
        return f"{self.connection.keys.root}token:{self.name}"

    @property
    def _turn(self) -> str:
        return f"{self._place}:turn"

    def _claim(self, client: redis.Redis, milliseconds: int) -> RefreshLock:
        if client.set(self._turn, self._me, nx=True, px=milliseconds):
            return RefreshLock.OURS
        return RefreshLock.NOBODYS if client.get(self._turn) == "rest" else RefreshLock.OTHERS

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
