"""The provider of a short-lived token: replaced early by one process of the fleet, used to its real end if need be."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from holdfast.credentials.errors import NoToken
from holdfast.credentials.issuer import PATIENCE
from holdfast.credentials.key_provider import Changed
from holdfast.credentials.token import Token, ask_again_in, refresh_at
from holdfast.credentials.token_cache import RefreshLock, TokenCache
from holdfast.model.errors import HoldfastError
from holdfast.policy.backoff import Uniform
from holdfast.telemetry.event_logger import event_logger

log = event_logger(__name__)
LOCK_SECONDS = PATIENCE + 2.0  # seconds for which the lock is held; a dead process frees it so
NEXT_LOOK = 0.25  # seconds between looks at the cache while another process asks
REST_LOOK = 1.0  # seconds between looks at the cache while nobody asks an issuer that failed
RETRY_EVERY = 10.0  # seconds between two replacements of tokens that the provider refuses
LONGEST_SLEEP = 5.0  # seconds

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True, eq=False)
class TokenProvider:
    """``fetch`` asks the issuer. ``clock`` is the process's own, in seconds, and never goes back."""

    name: str
    fetch: Callable[[], Awaitable[Token]]
    cache: TokenCache
    changed: Changed
    clock: Callable[[], float] = time.monotonic
    uniform: Uniform = random.uniform
    sleep: Sleep = asyncio.sleep
    _token: Token | None = None
    _due: float = float("-inf")  # when the token in hand wants to be replaced
    _look_at: float = float("-inf")  # no look at cache or issuer before
    _others: bool = False  # another process is asking right now
    _failures: int = 0
    _why: str = "no token was asked for yet"
    _refused: str | None = field(default=None, repr=False)
    _replace_again_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def secret(self) -> str:
        """Return the token in hand while it is good, whatever the issuer says. Raises NoToken."""
        give_up = self.clock() + LOCK_SECONDS
        while not self._is_good():
            await self._renew()
            if self._is_good():
                break
            if not self._others or self.clock() >= give_up:
                raise NoToken(self.name, self._why)
            await self.sleep(NEXT_LOOK)
        assert self._token is not None
        return self._token.value

    async def refused(self, secret: str) -> bool:
        """Replace a token that the provider refuses, now and then: while its logins are ill a new one is no better."""
        if self._token is not None and self._token.value == secret and self.clock() >= self._replace_again_at:
            self._replace_again_at = self.clock() + RETRY_EVERY
            self._refused, self._look_at = secret, float("-inf")
            await self._renew()
        return self._token is not None and self._token.value != secret

    async def tick(self) -> float:
        await self._renew()
        return min(max(max(self._due, self._look_at) - self.clock(), 0.05), LONGEST_SLEEP)

    def _is_good(self) -> bool:
        return self._token is not None and self._token.is_good(self.clock())

    def _is_settled(self) -> bool:
        """Nothing to do: the token in hand is young and nobody refused it, or it is too early to try again."""
        is_young = self._token is not None and self._token.value != self._refused and self.clock() < self._due
        return is_young or self.clock() < self._look_at

    async def _renew(self) -> None:
        """Look for a better token if it is time to. Many callers at once make one look."""
        async with self._lock:
            before = self._token
            if not self._is_settled():
                self._adopt(await self.cache.look())
            if not self._is_settled():
                await self._ask_alone()
            after = self._token
        if after is not before:
            await self.changed(self.name)

    async def _ask_alone(self) -> None:
        lock = await self.cache.claim(LOCK_SECONDS)
        self._others = lock is RefreshLock.HELD
        if lock is not RefreshLock.ACQUIRED:
            self._look_at = self.clock() + (NEXT_LOOK if self._others else REST_LOOK)
            self._why = self._why if self._failures else f"the issuer's turn: {lock}"
            return
        self._adopt(await self.cache.look())  # put there between our look and the lock
        if self._is_settled():
            await self.cache.release()
        else:
            await self._ask()

    async def _ask(self) -> None:
        try:
            token = await self.fetch()
        except HoldfastError as error:
            wait = self._failed(str(error))
            await self.cache.rest(wait)
        else:
            self._take(token)
            await self.cache.put(token)
            await self.cache.release()

    def _adopt(self, found: Token | None) -> None:
        """Take what another process got, unless it was refused or ends no later than what we have."""
        if found is None or found.value == self._refused or not found.is_good(self.clock()):
            return
        mine = self._token
        if mine is None or (
            mine.value != found.value and (mine.value == self._refused or found.expires > mine.expires)
        ):
            self._take(found)

    def _take(self, token: Token) -> None:
        if self._failures:
            log.info("issuer_back", credential=self.name)
        self._token, self._due = token, refresh_at(token, self.uniform)
        self._failures, self._look_at, self._others = 0, float("-inf"), False

    def _failed(self, why: str) -> float:
        """Note a failure; seconds until the issuer may be asked again."""
        self._failures += 1
        left = self._token.expires - self.clock() if self._token else 0.0
        if self._failures == 1:
            effect = f"the token in hand is good for {left:.0f} s" if left > 0 else "its jobs wait"
            log.warning("issuer_failed", credential=self.name, why=why, effect=effect)
        wait = ask_again_in(self._failures, self.uniform)
        self._look_at, self._why = self.clock() + wait, why
        return wait
