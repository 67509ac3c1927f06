"""When a simulated provider last looked at its sockets.

What it sees after it stood still (its process starved on a busy machine) may have come at any moment since: it would
take a clump of its own making for a burst of its callers'.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

EVERY = 0.01  # seconds between two looks
LOOKS = 4  # rounds of the event loop from a connection that knocks to the request that was read from it


class PollClock:
    """``run`` as long as the provider serves. ``clock`` in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._looks = deque([clock()], maxlen=LOOKS)

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """Note that the event loop came round."""
        self._looks.append(self._clock())

    @property
    def since(self) -> float:
        """A moment at which a request that is seen now had not come, in seconds since the epoch."""
        return self._looks[0]
