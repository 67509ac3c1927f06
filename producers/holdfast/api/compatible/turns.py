"""Turns by key: who takes one goes in behind those who came before, alone or beside others who share theirs."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class TakenTurn:
    """From when somebody came until they are done. ``shared``: others who share theirs need not wait for it."""

    shared: bool
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """Belongs to one event loop. A key is known only while somebody has a turn or waits for one."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, list[TakenTurn]] = defaultdict(list)

    @asynccontextmanager
    async def take(self, key: str, *, shared: bool = False) -> AsyncIterator[None]:
        """Let those with equal keys in one after the other, in the order in which they came.

        Those who share their turn go in beside one another, behind everybody before them who does not.
        """
        mine, before = TakenTurn(shared), [turn for turn in self._taken[key] if not (shared and turn.shared)]
        self._taken[key].append(mine)
        try:
            for turn in before:
                await turn.over.wait()
            yield
        finally:
            mine.over.set()
            self._taken[key].remove(mine)
            if not self._taken[key]:
                del self._taken[key]
