"""Carries operators' overrides, pauses of lanes and forced routes, from SQL to Redis; again whenever Redis forgot."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from holdfast.lanes import Gate
from holdfast.store import Store
from holdfast.store.overrides import OverrideKind, read_overrides

Overridden = Mapping[tuple[OverrideKind, str], str]
Known = tuple[str | None, str | None]


@dataclass(slots=True)
class Overrides:
    """``_told`` is what Redis was told; ``_known`` the epoch and the server that heard it, None at first."""

    store: Store
    gate: Gate
    _told: Overridden = field(default_factory=dict)
    _known: Known | None = None

    async def follow(self) -> None:
        """Tell Redis what changed in SQL. Raises QueueUnavailable also when Redis takes no writes."""
        known = await self.gate.check_writes()
        if known != self._known:
            await self.restore()
        else:
            await self._tell(self._told)
        self._known = known

    async def restore(self) -> None:
        """Make Redis hold what SQL says, whatever it holds: it was lost, restarted, or never met."""
        await self._tell(await asyncio.to_thread(self.gate.lanes.overrides))

    async def _tell(self, before: Overridden) -> None:
        wanted = await asyncio.to_thread(self.store.read, read_overrides)
        for kind, name in before.keys() | wanted.keys():
            if before.get((kind, name)) != wanted.get((kind, name)):
                await self._override(kind, name, wanted.get((kind, name)))
        self._told = wanted

    async def _override(self, kind: OverrideKind, name: str, value: str | None) -> None:
        if kind == "lane":
            await asyncio.to_thread(self.gate.lanes.set_paused, name, value == "paused")
        else:
            await asyncio.to_thread(self.gate.lanes.force, name, cast("Literal['open', 'closed'] | None", value))
