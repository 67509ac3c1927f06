"""Slots for the calls in flight of this process, and the event that wakes the fetcher."""

import asyncio
from collections.abc import Collection

STARTING = 100  # permits whose calls have not left: as many as leave soon enough where a call costs a millisecond
WORTH_A_FETCH = STARTING // 2  # permits; fewer are not asked for while calls are about to leave


class CallSlots:
    """A bounded number of slots. ``changed`` wakes the fetcher when one comes free, or when a lane has work.

    Few calls may be about to leave at once: a permit that waits for its turn in a busy process grows old.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self._starting: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def free(self) -> int:
        return self.total - self.taken

    @property
    def wanted(self) -> int:
        """Permits worth asking for now."""
        room = STARTING - len(self._starting)
        return min(self.free, room) if room >= WORTH_A_FETCH else 0

    def starting(self, permits: Collection[str]) -> None:
        """Calls for ``permits`` are about to leave."""
        self._starting.update(permits)

    def left(self, permit: str) -> None:
        """Its call has left, or will not."""
        self._starting.discard(permit)
        if len(self._starting) == STARTING - WORTH_A_FETCH:
            self._changed.set()

    def take(self, n: int) -> None:
        self.taken += n

    def give_back(self, n: int = 1) -> None:
        self.taken -= n
        self._changed.set()

    def wake(self) -> None:
        self._changed.set()

    async def changed(self, at_most: float) -> None:
        """Wait until something changed, at most ``at_most`` seconds."""
        try:
            async with asyncio.timeout(max(at_most, 0.0)):
                await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._changed.clear()
