"""Places for calls in flight in this process, and the hint that something changed."""

import asyncio


class Places:
    """A bounded number of places. ``changed`` wakes the fetcher when one comes free, or when a lane has work."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self._changed = asyncio.Event()

    @property
    def free(self) -> int:
        return self.total - self.taken

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
