"""Buckets of which a call was refused, from the moment on that this process hears of it.

Redis hears of a call's end only when SQL knows it. Until then it would give permits for a bucket that is empty, and
calls that have theirs would leave: all of them would be refused, too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf

from holdfast.model.errors import QueueUnavailable

Rest = Callable[[str, float], Awaitable[None]]


class RefusedBuckets:
    """``rest`` tells Redis that a bucket rests for so many seconds. ``clock``: that of permits' ``asked_at``."""

    def __init__(self, rest: Rest, clock: Callable[[], float]) -> None:
        self._rest, self._clock = rest, clock
        self._told_at: dict[str, float] = {}  # by bucket; infinity while Redis is being told
        self._telling: set[asyncio.Task[None]] = set()

    def record(self, bucket: str, asked_at: float, seconds: float) -> None:
        """A call of ``bucket`` was refused whose permit was asked for at ``asked_at``. Once for all of one moment."""
        if self.hold(bucket, asked_at):
            return
        self._told_at[bucket] = inf
        telling = asyncio.create_task(self._tell(bucket, seconds))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    def hold(self, bucket: str, asked_at: float) -> bool:
        """Whether a permit that was asked for at ``asked_at`` is one that Redis would not have given by now."""
        return asked_at <= self._told_at.get(bucket, -inf)

    async def _tell(self, bucket: str, seconds: float) -> None:
        try:
            with suppress(QueueUnavailable):  # then settling the call says so
                await self._rest(bucket, seconds)
        finally:
            self._told_at[bucket] = self._clock()
