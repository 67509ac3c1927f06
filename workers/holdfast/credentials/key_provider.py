"""Credential providers: one per credential and process. They answer from memory, and refresh it in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.credentials.errors import NoToken
from holdfast.credentials.source import KeySource
from holdfast.model.errors import HoldfastError
from holdfast.telemetry.event_logger import event_logger

log = event_logger(__name__)
LOOK = 1.0  # seconds between looks at a file
RETRY_EVERY = 3.0  # seconds between two reads of a key that is being refused
SUSPECT_FOR = 900.0  # seconds; then it is read again only when it is refused again

Changed = Callable[[str], Awaitable[None]]


class CredentialProvider(Protocol):
    """What a worker asks about one credential."""

    async def secret(self) -> str:
        """Return the key or token to log in with now. Raises NoToken."""
        ...

    async def refused(self, secret: str) -> bool:
        """Hear that the provider refused ``secret``; True when there is another one now."""
        ...

    async def tick(self) -> float:
        """Do what is due. Returns seconds until there may be more to do."""
        ...


@dataclass(slots=True, eq=False)
class KeyProvider:
    """A key that stays until somebody changes it. A place that fails takes no good key away."""

    name: str
    source: KeySource
    changed: Changed
    clock: Callable[[], float] = time.monotonic
    failure: HoldfastError | None = None  # of the last read; None: it gave a key, or there was none yet
    _key: str | None = field(default=None, repr=False)
    _why: str = ""
    _read_at: float = float("-inf")
    _suspect_until: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def has_key(self) -> bool:
        return self._key is not None

    async def secret(self) -> str:
        if self._key is None:
            await self._read(unless_within=LOOK)
        if self._key is None:
            raise NoToken(self.name, self._why)
        return self._key

    async def refused(self, secret: str) -> bool:
        """Read again, at most once in ``RETRY_EVERY`` seconds however many calls were refused."""
        self._suspect_until = self.clock() + SUSPECT_FOR
        if self._key == secret:
            await self._read(unless_within=RETRY_EVERY)
        return self._key != secret

    async def tick(self) -> float:
        """A file is watched; anything else is read again while it is suspect, for it cannot be seen to change."""
        if self.source.looks_changed():
            await self._read()
        elif self._key is None or self.clock() < self._suspect_until:
            await self._read(unless_within=RETRY_EVERY)
        return LOOK

    async def _read(self, unless_within: float = 0.0) -> None:
        async with self._lock:
            if self.clock() - self._read_at < unless_within:
                return
            before, self._read_at = self._key, self.clock()
            try:
                self._key, self._why, self.failure = await self.source.fetch(), "", None
            except HoldfastError as error:
                self._note(str(error))
                self.failure = error.with_traceback(None)
        if before is not None and self._key != before:
            self._suspect_until = float("-inf")
            log.info("credential_changed", credential=self.name)
        if self._key != before:
            await self.changed(self.name)

    def _note(self, why: str) -> None:
        if why != self._why:
            effect = "its jobs wait" if self._key is None else "the last key stays in use"
            log.warning("secret_unreadable", credential=self.name, why=why, effect=effect)
        self._why = why
