"""Offers committed jobs to their lanes, best effort: it saves a second, and no submit depends on it.

The sweeper offers whatever is due, so a lost offer costs a moment's delay. Hence a thread of its own makes the offers,
nothing here raises, and after a failure Redis is left alone for a while: no submit ever waits for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Offer
from holdfast.testing import PRODUCTION, Runtime

COOL_OFF = 5.0  # seconds after a failure in which Redis is not asked
MAX_PENDING = 100  # submits whose offers may queue up; later ones are left to the sweeper

log = logging.getLogger(__name__)


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
        quiet: float = COOL_OFF,
        runtime: Runtime = PRODUCTION,
    ) -> None:
        self._crash_point = runtime.crash_point
        self._reach, self._clock, self._quiet = reach, clock, quiet
        self._quiet_until = float("-inf")
        self._thread = ThreadPoolExecutor(1, "holdfast-offers")  # starts at the first offer
        self._waiting = threading.Semaphore(MAX_PENDING)

    def make(self, offers: Sequence[Offer]) -> None:
        """Offer jobs to their lanes, soon and if possible."""
        if offers and self._clock() >= self._quiet_until and self._waiting.acquire(blocking=False):
            self._thread.submit(self._offer, offers).add_done_callback(self._offered)

    def flush(self) -> None:
        """Wait until everything that waited has been offered or left to the sweeper."""
        self._thread.submit(int).result()

    def close(self) -> None:
        self._thread.shutdown()

    def _offer(self, offers: Sequence[Offer]) -> None:
        if self._clock() < self._quiet_until:
            return
        try:
            self._reach().offer(offers)
            self._crash_point("after_offer")
        except QueueUnavailable as error:
            self._quiet_until = self._clock() + self._quiet
            log.info("%d jobs were left to the sweeper: %s", len(offers), error)

    def _offered(self, offered: Future[None]) -> None:
        self._waiting.release()
        if offered.exception() is not None:
            log.error("an offer failed; the sweeper makes it again", exc_info=offered.exception())
