"""Virtual time: a heap of things to do, each at its second. Nothing sleeps; the clock jumps to the next one."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

Action = Callable[[Any], None]


class EventQueue:
    """``now`` in seconds from the beginning. Things of the same second happen in the order they were asked for."""

    __slots__ = ("_count", "_heap", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Action, Any]] = []
        self._count = count()

    def at(self, when: float, act: Action, about: Any = None) -> None:
        """Do ``act(about)`` at ``when``."""
        heappush(self._heap, (when, next(self._count), act, about))

    def run(self, until: float) -> None:
        """Go on until there is nothing left to do, or it would be later than ``until``."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, act, about = heappop(heap)
            act(about)
