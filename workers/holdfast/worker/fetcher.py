"""Starts attempts: asks the gate for permits lane by lane, claims in SQL what it got, and sleeps until asking helps."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from holdfast.lanes import Reason
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.exception_fault import what_broke
from holdfast.model.job import Claimed, Permit
from holdfast.store.break_off import refuse_claim
from holdfast.worker.context import WorkerContext
from holdfast.worker.held_jobs import HeldJobs
from holdfast.worker.lane_schedule import ScheduledLane
from holdfast.worker.redis_start import RedisStart
from holdfast.worker.window_refiller import WindowRefiller

log = structlog.get_logger()
# Seconds between the beginnings of two rounds while jobs wait in a lane, so that freed places are filled in groups.
APART = 0.008
# Calls of a batch in one turn of the event loop, while somebody waits for other jobs, or the next one may be refused.
STARTS_AT_ONCE = 8
FOR_OTHERS = 2.0  # turns of the loop that a batch's calls then leave to others after each of their own
IDLE_FIRST, IDLE_LONGEST = 0.1, 0.25  # seconds between looks at an empty lane: a job that comes brings a hint
UNSURE = 0.5  # seconds to wait while a store is away


@dataclass(slots=True)
class Fetcher:
    """One per process. ``claiming``: claims under way. ``round_at``: the steady clock's time of the next round.

    ``resting``: held by the claim of a batch that leaves the event loop to others, so that two do not fill it in turn.
    """

    context: WorkerContext
    jobs: HeldJobs
    refiller: WindowRefiller
    redis_start: RedisStart
    claiming: set[asyncio.Task[None]] = field(default_factory=set)
    round_at: float = 0.0
    resting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def may_fetch(self) -> bool:
        """Whether both stores answer, and no result waits to be written: another would only be one more of them."""
        return self.context.dependencies.may_call and not self.context.writer.holding

    async def run(self) -> None:
        """Until cancelled. Claims under way are shielded: they finish, and their jobs are started or handed back."""
        while True:
            wait = await self._round() if self.may_fetch else UNSURE
            await self.context.slots.changed(at_most=wait)
            if self.context.slots.taken:
                await self.context.slots.rest(self.round_at - time.monotonic())

    async def _round(self) -> float:
        """Ask every lane that may have something; seconds until the next lane is worth asking."""
        for lane in self.context.lanes.in_order():
            while self._wanted(lane) > 0 and lane.ask_at <= time.monotonic():
                try:
                    await self._ask(lane)
                except QueueUnavailable as error:
                    self.context.dependencies.failed(error)
                    return UNSURE
        now, asked = time.monotonic(), [lane for lane in self.context.lanes.entries.values() if self._wanted(lane) > 0]
        return min((lane.ask_at - now for lane in asked), default=UNSURE)

    def _wanted(self, lane: ScheduledLane) -> int:
        return self.context.slots.wanted(is_awaited=lane.is_awaited)

    async def _ask(self, lane: ScheduledLane) -> None:
        """One fetch. A full answer means that asking again at once may give more."""
        n, hints, began = self._wanted(lane), lane.hints, time.monotonic()
        self.context.runtime.crash_point("before_fetch")
        permits, status = await self.context.gate.fetch(lane.name, n, self.context.worker, lane.plan)
        if status.reason is Reason.EPOCH:
            await self.redis_start.begin()
            return
        if permits:
            self._claim_soon(permits, lane, is_paced=status.reason is Reason.BUCKET)
            lane.empties = 0
        if status.low:
            self.refiller.soon(lane.name)
        if status.reason is not Reason.EMPTY:
            self.round_at = began + APART
        if status.reason and lane.hints == hints:  # a hint that came meanwhile is of what came after the look
            self._sleep(lane, status.reason, status.retry_in)

    def _sleep(self, lane: ScheduledLane, reason: Reason, retry_in: float | None) -> None:
        """Sleep as long as the gate says, but look now and then: a job or an operator may come from elsewhere."""
        lane.why = reason
        if reason is Reason.EMPTY:
            retry_in = IDLE_FIRST * 2 ** min(lane.empties, 8)
            lane.empties += 1
        wait = IDLE_LONGEST if retry_in is None else min(IDLE_LONGEST, retry_in)
        lane.ask_at = time.monotonic() + self.context.runtime.clock.real(wait)

    def _claim_soon(self, permits: Sequence[Permit], lane: ScheduledLane, *, is_paced: bool) -> None:
        self.context.slots.take(len(permits))
        self.context.slots.starting([permit.id for permit in permits], is_awaited=lane.is_awaited)
        claim = asyncio.create_task(self._claim(permits, lane, is_paced=is_paced))
        self.claiming.add(claim)
        claim.add_done_callback(self.claiming.discard)

    async def _claim(self, permits: Sequence[Permit], lane: ScheduledLane, *, is_paced: bool) -> None:
        """Claim in one statement; permits of jobs that are not ours to run go back.

        ``is_paced``: a rate held up the others, and may be one that the provider refuses: answers are read in between.
        """
        self.context.runtime.crash_point("before_claim")
        claimed = await self._claimed(permits)
        self.context.runtime.crash_point("after_claim")
        jobs = {job.id: job for job in claimed}
        self.context.slots.give_back(len(permits) - len(claimed))
        for place, permit in enumerate(permits):
            if place % STARTS_AT_ONCE == STARTS_AT_ONCE - 1 and not lane.is_awaited:
                await self._let_others_go_on(is_paced=is_paced)
            if job := jobs.get(permit.job):
                self.jobs.start(job, permit, lane.plan)
            else:
                self.context.slots.left(permit.id)
        await self._drop([permit for permit in permits if permit.job not in jobs])

    async def _let_others_go_on(self, *, is_paced: bool = False) -> None:
        """Leave a turn of the event loop to what is due, and more of them to jobs that somebody waits for."""
        if not self.jobs.awaited:
            if is_paced:
                await asyncio.sleep(0)
            return
        async with self.resting:
            began = time.monotonic()
            await asyncio.sleep(0)
            await asyncio.sleep(FOR_OTHERS * (time.monotonic() - began))

    async def _claimed(self, permits: Sequence[Permit]) -> list[Claimed]:
        """The permits' jobs, as far as they are ours now. One whose claim breaks is left out, and broken off."""
        try:
            claimed = await self.context.writer.claim(self.context.worker, permits)
        except StorageUnavailable as error:
            self._unsure(permits, error)
            return []
        except Exception as error:  # noqa: BLE001  one job must not take those with it that were fetched with it
            return await self._claimed_one_by_one(permits, error)
        self.context.dependencies.sql_wrote()
        return claimed

    async def _claimed_one_by_one(self, permits: Sequence[Permit], error: Exception) -> list[Claimed]:
        if len(permits) == 1:
            await self._refuse(permits[0], error)
            return []
        self.jobs.unsure.update(permit.job for permit in permits)  # it may have broken after the commit
        return [job for permit in permits for job in await self._claimed([permit])]

    async def _refuse(self, permit: Permit, error: Exception) -> None:
        """Have SQL count that a job's claim broke; the second time that buries it."""
        why, effect = what_broke(error), "it is handed back, or buried if that is not its first exception"
        log.error("claim_broke", job=permit.job, error=why, effect=effect, exc_info=error)
        try:
            await self.context.offer(await self.context.write(refuse_claim, self.context.worker, permit, why))
        except (StorageUnavailable, QueueUnavailable) as away:
            self._unsure([permit], away)
        except Exception:
            log.exception("claim_broke", job=permit.job, error=why, effect="it is handed back")
            self.jobs.unsure.add(permit.job)

    def _unsure(self, permits: Sequence[Permit], error: StorageUnavailable | QueueUnavailable) -> None:
        self.context.dependencies.failed(error)
        self.jobs.unsure.update(permit.job for permit in permits)

    async def _drop(self, permits: Sequence[Permit]) -> None:
        if not permits:
            return
        try:
            await self.context.gate.drop(permits)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
        except Exception:
            log.exception("drop_broke", permits=len(permits), effect="they come back as strays")
