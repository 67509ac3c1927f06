"""Slots for the calls in flight of this process, and the event that wakes the fetcher."""

import asyncio
from collections.abc import Collection

STARTING = 100  # permits whose calls have not left: as many as leave soon enough where a call costs a millisecond
WORTH_A_FETCH = STARTING // 2  # permits; fewer are not asked for while calls are about to leave


class CallSlots:
    """A bounded number of slots. ``changed`` wakes the fetcher when one comes free, or when a lane has work.

    Few calls may be about to leave at once: a permit that waits for its turn in a busy process grows old. Those of a
    batch do not count against those that somebody waits for, which leave first.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self._starting: dict[bool, set[str]] = {True: set(), False: set()}  # by whether somebody waits for the job
        self._changed, self._hurry = asyncio.Event(), asyncio.Event()

    @property
    def free(self) -> int:
        return self.total - self.taken

    def wanted(self, *, is_awaited: bool) -> int:
        """Permits worth asking for now, for jobs that somebody waits for or for others."""
        room = STARTING - len(self._starting[is_awaited])
        return min(self.free, room) if room >= WORTH_A_FETCH else 0

    def starting(self, permits: Collection[str], *, is_awaited: bool) -> None:
        """Calls for ``permits`` are about to leave."""
        self._starting[is_awaited].update(permits)

    def left(self, permit: str) -> None:
        """Its call has left, or will not."""
        for permits in self._starting.values():
            if permit in permits:
                permits.remove(permit)
                if len(permits) == STARTING - WORTH_A_FETCH:
                    self._changed.set()

    def take(self, n: int) -> None:
        self.taken += n

    def give_back(self, n: int = 1) -> None:
        """Free slots. That is news where there was none: else the fetcher has asked for all that it could get."""
        if self.free <= 0:
            self._changed.set()
        self.taken -= n

    def wake(self, *, hurry: bool = False) -> None:
        """Wake the fetcher. ``hurry``: also out of its rest, for a job that somebody waits for."""
        self._changed.set()
        if hurry:
            self._hurry.set()

    async def changed(self, at_most: float) -> None:
        """Wait until something changed, at most ``at_most`` seconds."""
        await _wait(self._changed, at_most)

    async def rest(self, seconds: float) -> None:
        """Sleep, so that more slots come free, but not on once the fetcher is to hurry."""
        if seconds > 0:
            await _wait(self._hurry, seconds)
        else:
            await asyncio.sleep(0)
            self._hurry.clear()


async def _wait(event: asyncio.Event, at_most: float) -> None:
    """Wait until an event is set, at most ``at_most`` seconds, and clear it."""
    try:
        async with asyncio.timeout(max(at_most, 0.0)):
            await event.wait()
    except TimeoutError:
        return
    finally:
        event.clear()
