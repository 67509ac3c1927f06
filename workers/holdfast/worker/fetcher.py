"""Starts attempts: asks the gate for permits lane by lane, claims in SQL what it got, and sleeps until asking helps."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from holdfast.lanes import Gate, Reason
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.job import Claimed, Permit
from holdfast.store import GroupWriter
from holdfast.testing import PRODUCTION, Runtime
from holdfast.worker.call_slots import CallSlots
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.lane_schedule import LaneSchedule, ScheduledLane

log = structlog.get_logger()
LINGER = 0.005  # seconds between rounds under load, so that freed places are filled in groups
IDLE_FIRST, IDLE_LONGEST = 0.02, 0.25  # seconds between looks at an empty lane
UNSURE = 0.5  # seconds to wait while a store is away

Start = Callable[[Claimed, Permit, ScheduledLane], None]


@dataclass(slots=True)
class Fetcher:
    """One per process. ``worker`` changes when the process lost its lease and became a new worker."""

    gate: Gate
    writer: GroupWriter
    lanes: LaneSchedule
    slots: CallSlots
    dependencies: DependencyHealth
    start: Start
    refill: Callable[[str], None]
    begin: Callable[[], Awaitable[None]]  # called when Redis is new or was lost
    worker: str
    unsure: set[str]  # jobs whose claim may or may not have been written
    runtime: Runtime = PRODUCTION
    claiming: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Until cancelled. Claims under way are shielded: they finish, and their jobs are started or handed back."""
        while True:
            may_call = self.dependencies.may_call and not self.writer.holding
            wait = await self._round() if may_call else UNSURE
            await self.slots.changed(at_most=wait)
            await asyncio.sleep(LINGER)

    async def _round(self) -> float:
        """Ask every lane that may have something; seconds until the next lane is worth asking."""
        for lane in self.lanes.in_order():
            while self.slots.wanted > 0 and lane.ask_at <= time.monotonic():
                try:
                    await self._ask(lane)
                except QueueUnavailable as error:
                    self.dependencies.redis_failed(error)
                    return UNSURE
        if self.slots.wanted <= 0:
            return UNSURE
        now = time.monotonic()
        return min((lane.ask_at - now for lane in self.lanes.entries.values()), default=UNSURE)

    async def _ask(self, lane: ScheduledLane) -> None:
        """One fetch. A full answer means that asking again at once may give more."""
        n = self.slots.wanted
        self.runtime.crash_point("before_fetch")
        fetched = await self.gate.fetch(lane.name, n, self.worker, lane.plan)
        if fetched.reason is Reason.EPOCH:
            await self.begin()
            return
        if fetched.permits:
            self._claim_soon(fetched.permits, lane)
            lane.empties = 0
        if fetched.low:
            self.refill(lane.name)
        if fetched.reason:
            self._sleep(lane, fetched.reason, fetched.retry_in)

    def _sleep(self, lane: ScheduledLane, reason: Reason, retry_in: float | None) -> None:
        """Sleep as long as the gate says, but look now and then: a job or an operator may come from elsewhere."""
        lane.why = reason
        if reason is Reason.EMPTY:
            retry_in = IDLE_FIRST * 2 ** min(lane.empties, 8)
            lane.empties += 1
        wait = IDLE_LONGEST if retry_in is None else min(IDLE_LONGEST, retry_in)
        lane.ask_at = time.monotonic() + self.runtime.clock.real(wait)

    def _claim_soon(self, permits: Sequence[Permit], lane: ScheduledLane) -> None:
        self.slots.take(len(permits))
        self.slots.starting([permit.id for permit in permits])
        claim = asyncio.create_task(self._claim(permits, lane))
        self.claiming.add(claim)
        claim.add_done_callback(self.claiming.discard)

    async def _claim(self, permits: Sequence[Permit], lane: ScheduledLane) -> None:
        """Claim in one statement; permits of jobs that are not ours to run go back."""
        self.runtime.crash_point("before_claim")
        try:
            claimed = await self.writer.claim(self.worker, permits)
            self.dependencies.sql_wrote()
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
            self.unsure.update(permit.job for permit in permits)
            claimed = []
        self.runtime.crash_point("after_claim")
        jobs = {job.id: job for job in claimed}
        self.slots.give_back(len(permits) - len(claimed))
        for permit in permits:
            if job := jobs.get(permit.job):
                self.start(job, permit, lane)
            else:
                self.slots.left(permit.id)
        await self._drop([permit for permit in permits if permit.job not in jobs])

    async def _drop(self, permits: Sequence[Permit]) -> None:
        if not permits:
            return
        try:
            await self.gate.drop(permits)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
