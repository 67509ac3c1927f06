"""The API keys of the installation, cached by one process: read again every other second while they are asked for.

All of them are held, so that an unknown key costs no question to the database, and a revoked one is refused by every
process within seconds. Where the database does not answer, what was read serves a moment longer; then nobody passes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from starlette.concurrency import run_in_threadpool

from holdfast.client.installation import Installation
from holdfast.model.access import ApiCaller, KeyRecord, matches, read_key
from holdfast.model.errors import StorageUnavailable, Unauthorized
from holdfast.store.api_keys import mark_used, read_keys

FRESH = 2.0  # seconds after which the keys are read again
STALE = 4.0  # seconds after which what was read is good for nothing: revoked means revoked within five
REFRESH_GAP = 0.05  # seconds between two refreshes for keys that may have been made an instant ago
USE_SECONDS = 60.0  # seconds between two records of the same key's use

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeySnapshot:
    """What one refresh found. ``clock`` is the database's time then, ``read_at`` ours (steady)."""

    by_id: Mapping[str, KeyRecord] = field(default_factory=dict)
    clock: float = 0.0
    read_at: float = float("-inf")

    def age(self, now: float) -> float:
        return now - self.read_at


class KeyCache:
    """Safe to share between threads. ``clock`` is a steady one, in seconds."""

    def __init__(self, installation: Installation, clock: Callable[[], float] = time.monotonic) -> None:
        self._installation, self._clock = installation, clock
        self._keys, self._turn = KeySnapshot(), Lock()
        self._forced_at = float("-inf")
        self._noted: dict[str, float] = {}

    def is_fresh(self) -> bool:
        return self._keys.age(self._clock()) < FRESH

    def may_be_new(self, text: str) -> bool:
        """Tell whether a key may have been made since the last refresh. A flood of invented ones asks no more."""
        read, now = read_key(text), self._clock()
        if read is None or read[0] in self._keys.by_id or now - self._forced_at < REFRESH_GAP:
            return False
        self._forced_at = now
        return True

    def refresh(self, *, force: bool = False) -> KeySnapshot:
        """Return keys that are at most ``STALE`` seconds old. Asks the database. Raises StorageUnavailable."""
        with self._turn:
            if self.is_fresh() and not force:
                return self._keys
            asked_at = self._clock()  # before the question: what is revoked while it runs may be missing
            try:
                found, clock = self._installation.ready().read(read_keys)
            except StorageUnavailable:
                if self._keys.age(self._clock()) < STALE:
                    return self._keys
                raise
            self._keys = KeySnapshot({key.id: key for key in found}, clock, asked_at)
            return self._keys

    def has_keys(self) -> bool | None:
        """Tell whether a key was ever made here: a revoked one does not let everybody in again. None: unknown."""
        return bool(self._keys.by_id) if self._keys.clock else None

    def caller(self, text: str) -> ApiCaller:
        """Say who shows this key, by what the last refresh found. Raises Unauthorized."""
        name, secret = read_key(text) or ("", "")
        record = self._record(name)
        if not matches(record, secret) or record is None:
            raise Unauthorized("this API key is not known here")
        return self._usable(record)

    def owner(self, name: str) -> ApiCaller:
        """Say who has the key of this id, which was shown before, if it is still good. Raises Unauthorized."""
        record = self._record(name)
        if record is None:
            raise Unauthorized("this API key is not known here")
        return self._usable(record)

    def _record(self, name: str) -> KeyRecord | None:
        if self._keys.age(self._clock()) >= STALE:
            raise StorageUnavailable("(API keys)", "they were read too long ago")
        return self._keys.by_id.get(name)

    def _usable(self, record: KeyRecord) -> ApiCaller:
        if not record.usable(self._keys.clock + self._keys.age(self._clock())):
            state = "revoked" if record.revoked_at is not None else "expired"
            raise Unauthorized(f"API key {record.id} ({record.name}) is {state}")
        return record.caller()

    def use_is_due(self, caller: ApiCaller) -> bool:
        """Tell, once a minute, that the use of a caller's key is to be recorded."""
        now = self._clock()
        if now - self._noted.get(caller.name, float("-inf")) < USE_SECONDS:
            return False
        self._noted[caller.name] = now
        return True

    def record_use(self, caller: ApiCaller) -> None:
        """Record that a key is in use. It is no promise: a database that is away loses it."""
        try:
            self._installation.ready().write(mark_used, [caller.name.removeprefix("key:")])
        except StorageUnavailable as error:
            log.info("the use of %s is not noted: %s", caller.name, error)


class KeyRefresh:
    """Has the keys read again on a thread: one, however many requests wait for it. Belongs to one event loop."""

    def __init__(self, cache: KeyCache) -> None:
        self._cache = cache
        self._reading: asyncio.Task[KeySnapshot] | None = None

    async def wait(self) -> None:
        """Return when the keys have been read. Raises StorageUnavailable."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(run_in_threadpool(self._cache.refresh))
        await asyncio.shield(self._reading)  # others wait for it, too
