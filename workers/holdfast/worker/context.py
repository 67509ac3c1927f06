"""What the parts of one worker process have in common."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from holdfast.config import Settings
from holdfast.lanes import Gate
from holdfast.model.job import Offer
from holdfast.store import GroupWriter, Store
from holdfast.store.transaction import Transaction
from holdfast.testing import Runtime
from holdfast.worker.call_slots import CallSlots
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.lane_schedule import LaneSchedule
from holdfast.worker.lease import Lease

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class WorkerContext:
    """SQL and Redis with what is known of them, the lanes that are served, and the slots for calls."""

    settings: Settings
    store: Store
    gate: Gate
    lanes: LaneSchedule
    dependencies: DependencyHealth = field(default_factory=DependencyHealth)
    slots: CallSlots = field(init=False)
    writer: GroupWriter = field(init=False)
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self.slots = CallSlots(settings.worker.concurrency)
        self.writer = GroupWriter(self.store)
        self.lease = Lease(self.store, self.dependencies, settings.worker.lease, clock=self.runtime.clock)

    @property
    def runtime(self) -> Runtime:
        """The process's clock and crash points."""
        return self.settings.runtime

    @property
    def worker(self) -> str:
        """The id under which this process claims; another one once it has lost its lease."""
        return self.lease.worker

    async def read(self, question: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask SQL in a thread; see ``Store.read``."""
        return await asyncio.to_thread(lambda: self.store.read(question, *args, **kwargs))

    async def write(self, change: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change SQL in a thread; see ``Store.write``."""
        return await asyncio.to_thread(lambda: self.store.write(change, *args, **kwargs))

    async def offer(self, offers: Sequence[Offer]) -> None:
        """Put jobs into their lanes, and have the fetcher look there. Raises QueueUnavailable."""
        if offers:
            await self.gate.offer(offers)
            for lane in {offer.lane for offer in offers}:
                self.lanes.wake(lane)
            self.slots.wake()
