"""Offers committed jobs to their lanes, best effort: it saves a second, and no submit depends on it.

The sweeper offers whatever is due, so a lost offer costs a moment's delay. Hence a thread of its own makes the offers,
nothing here raises, and after a failure Redis is left alone for a while: no submit ever waits for it.

To offer one job takes about as long as to accept it, and as long for many as for one. So where submits come one upon
the other, their jobs are offered together every few milliseconds; a submit by itself is offered at once.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from holdfast.client.redis_link import EmbeddedServerDown
from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Offer
from holdfast.telemetry.loggers import library_logger
from holdfast.testing import PRODUCTION, Runtime

COOL_OFF = 5.0  # seconds after a failure in which Redis is not asked
PAUSE = 0.005  # seconds between the starts of two offers while submits crowd,
CROWD = 4  # which is when so many came within as long
NOT_YET = 0.1  # seconds after finding that no worker has started an embedded one: to look costs next to nothing
MAX_PENDING = 10_000  # jobs that may wait to be offered; those of later submits are left to the sweeper

log = library_logger(__name__)


class OfferSink(Protocol):
    """The part of the lanes that a producer needs."""

    def offer(self, offers: Sequence[Offer]) -> int: ...


class Offers:
    """Safe to share between threads. ``reach`` finds the lanes, and raises QueueUnavailable when they are away."""

    def __init__(
        self,
        reach: Callable[[], OfferSink],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        quiet: float = COOL_OFF,
        runtime: Runtime = PRODUCTION,
    ) -> None:
        self._crash_point = runtime.crash_point
        self._reach, self._clock, self._sleep, self._quiet = reach, clock, sleep, quiet
        self._quiet_until = self._next_at = float("-inf")
        self._made = deque([float("-inf")] * CROWD, maxlen=CROWD)  # when the last submits came
        self._thread = ThreadPoolExecutor(1, "holdfast-offers")  # starts at the first offer
        self._lock, self._pending, self._is_offering = threading.Lock(), list[Offer](), False

    def make(self, offers: Sequence[Offer]) -> None:
        """Offer jobs to their lanes, soon and if possible; those of submits that wait together go together."""
        if not offers or self._clock() < self._quiet_until:
            return
        with self._lock:
            if len(self._pending) >= MAX_PENDING:
                return
            self._pending += offers
            self._made.append(self._clock())
            begins, self._is_offering = not self._is_offering, True
        if begins:
            self._thread.submit(self._offer_all)

    def flush(self) -> None:
        """Wait until everything that waited has been offered or left to the sweeper."""
        self._thread.submit(int).result()

    def close(self) -> None:
        self._thread.shutdown()

    def _offer_all(self) -> None:
        while offers := self._take():
            self._next_at = self._clock() + PAUSE
            try:
                self._offer(offers)
            except Exception:
                log.exception("an offer failed; the sweeper makes it again")

    def _take(self) -> list[Offer]:
        """Everything that waits; nothing, and the next submit begins again."""
        now = self._clock()
        if now < self._next_at and now - self._made[0] < PAUSE:
            self._sleep(self._next_at - now)
        with self._lock:
            taken, self._pending = self._pending, []
            self._is_offering = bool(taken)
        return taken

    def _offer(self, offers: Sequence[Offer]) -> None:
        if self._clock() < self._quiet_until:
            return
        try:
            self._reach().offer(offers)
            self._crash_point("after_offer")
        except QueueUnavailable as error:
            quiet = min(self._quiet, NOT_YET) if isinstance(error, EmbeddedServerDown) else self._quiet
            self._quiet_until = self._clock() + quiet
            log.info("%d jobs were left to the sweeper: %s", len(offers), error)
