"""Mends what time and crashes leave behind: due retries, expired jobs, jobs of dead workers, lost window entries.

Every process runs one. Each move is a guarded statement in SQL, so two sweepers at once do no harm.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.model.job import State
from holdfast.store.backlog import lane_heads, list_lanes, release_due
from holdfast.store.batch_ends import tell_batch_ends
from holdfast.store.break_off import break_off
from holdfast.store.cancel import expire_due
from holdfast.store.counters import prune_pace, recount_dead
from holdfast.store.fleet import list_workers, take_over
from holdfast.store.operations import delete_done_operations
from holdfast.store.outbox import DELETE_PAGE, delete_events
from holdfast.store.requeue import find_held, requeue
from holdfast.store.retention import delete_stopped_workers
from holdfast.worker.context import WorkerContext
from holdfast.worker.held_jobs import BrokenJob, HeldJobs
from holdfast.worker.learned_limits import LearnedLimits
from holdfast.worker.overrides import Overrides

log = structlog.get_logger()
PRESSING = 50  # jobs at the head of a backlog
AT_MOST = 1_000  # jobs that one transaction moves
RENEWED = 1.0  # seconds that a renewal may take
REST = 0.02  # seconds between two of them when there are more, so that claims and settlements have their turn
KEEP_PACE = 600.0  # seconds; estimates look back over far less
FASTER = 10.0  # times as often at most, in a drill: each look costs the machine the same, however fast time runs


@dataclass(slots=True)
class Sweeper:
    """``jobs`` are those that this process holds."""

    context: WorkerContext
    jobs: HeldJobs
    overrides: Overrides
    _strays: frozenset[str] = field(default_factory=frozenset)
    _lost_claims: frozenset[str] = field(default_factory=frozenset)
    _condition: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Until cancelled. Each duty has its own pace, in seconds."""
        duties: Sequence[tuple[float, Callable[[], Awaitable[None]]]] = (
            (0.2, self.release_due),
            (1.0, self.expire_due),
            (1.0, self.follow_sql),
            (1.0, self.hand_back_unsure),
            (1.0, self.break_off),
            (2.0, self.take_over),
            (5.0, self.offer_pressing),
            (5.0, self.drop_strays),
            (5.0, self.find_lost_claims),
            (5.0, self.keep_limits),
            (10.0, self.log_redis_health),
            (15.0, self.mend_lanes),
            (1.0, self.tell_batch_ends),
            (600.0, self.delete_leftovers),
            (60.0, self.keep_counters),
        )
        await asyncio.gather(*(self._repeat(every, duty, duty.__name__) for every, duty in duties))

    async def _repeat(self, every: float, duty: Callable[[], Awaitable[None]], name: str) -> None:
        while True:
            try:
                await duty()
            except (StorageUnavailable, QueueUnavailable) as error:
                self.context.dependencies.failed(error)
            except Exception:
                log.exception("part_broke", part=f"sweeper.{name}", effect="the other duties go on")
            await asyncio.sleep(max(self.context.runtime.clock.real(every), every / FASTER))

    async def release_due(self) -> None:
        """Delayed jobs whose time has come are queued, and take their places among what waits."""
        while offers := await self.context.write(release_due, AT_MOST):
            self.context.dependencies.sql_answered()
            self.context.runtime.crash_point("after_release")
            await self.context.offer(offers)
            if len(offers) < AT_MOST:
                return
            await asyncio.sleep(REST)
        self.context.dependencies.sql_answered()

    async def follow_sql(self) -> None:
        """Serve lanes that appeared, and carry the operators' overrides to the gate."""
        for counts in await self.context.read(list_lanes):
            self.context.lanes.add(counts.lane)
        await self.overrides.follow()
        self.context.dependencies.redis_answered()

    async def expire_due(self) -> None:
        """End what is too late. A backlog whose deadline passes at once goes page by page, and starves nobody."""
        while expired := await self.context.write(expire_due, AT_MOST):
            self.context.runtime.crash_point("after_expire")
            if expired < AT_MOST:
                return
            await asyncio.sleep(REST)

    async def offer_pressing(self) -> None:
        """Offer the heads of backlogs larger than their window again: an offer that was pressing may have been lost."""
        for counts in await self.context.read(list_lanes):
            if counts.counts.get(State.QUEUED, 0) > self.context.settings.worker.window:
                await self.context.offer(await self.context.read(lane_heads, counts.lane, PRESSING))

    async def tell_batch_ends(self) -> None:
        """Tell whoever listens of batches whose last job has ended."""
        await asyncio.to_thread(tell_batch_ends, self.context.store)

    async def hand_back_unsure(self) -> None:
        """Jobs whose claim failed half-way: if SQL did take the claim, they are ours and nobody runs them."""
        unsure = frozenset(self.jobs.unsure) - self.jobs.running.keys()
        if unsure:
            await self.context.offer(await self.context.write(requeue, self.context.worker, sorted(unsure)))
            self.jobs.unsure -= unsure

    async def break_off(self) -> None:
        """Give up jobs that something of ours broke on, each by itself: one that cannot be given up stops no other."""
        for job, broken in list(self.jobs.broken.items()):
            if job in self.jobs.running:
                continue
            self.jobs.broken[job] = self.jobs.broken.pop(job)  # to the end: the next look begins with another
            offers = await self.context.write(break_off, self.context.worker, job, broken.why, sent=broken.sent)
            del self.jobs.broken[job]
            await self.context.offer(offers)

    async def take_over(self) -> None:
        """Queue the jobs of workers whose lease ran out, and free what dead workers hold in Redis.

        Right after SQL was away, or a process was stopped while it held SQLite's lock, all leases are over. Whoever
        lives renews, and writes what it has finished, first.
        """
        if not self.context.dependencies.sql_steady_for(self.context.lease.seconds / 3 + RENEWED):
            return
        for dead in await self.context.write(take_over, lambda: self.context.lease.fresh):
            log.warning("worker_lost", worker=dead.worker, requeued=dead.requeued, poisoned=dead.poisoned)
            self.context.runtime.crash_point("after_take_over")
        alive = {worker.id for worker in await self.context.read(list_workers)}
        for worker in await asyncio.to_thread(self.context.gate.lanes.workers):
            if worker not in alive:
                await self.context.gate.release(worker)
                self.context.runtime.crash_point("after_free")

    async def drop_strays(self) -> None:
        """Window entries that Redis counts as ours and that we do not know: an answer of the gate got lost."""
        ours = await asyncio.to_thread(self.context.gate.lanes.held, self.context.worker)
        strays = frozenset(ours) - self.jobs.running.keys()
        if lost := strays & self._strays:
            log.warning("strays_dropped", jobs=len(lost))
            await self.context.gate.forget(self.context.worker, sorted(lost))
        self._strays = strays

    async def find_lost_claims(self) -> None:
        """Jobs that SQL counts as ours at two looks, and that nothing here runs: something broke after a claim."""
        known = {*self.jobs.running, *self.jobs.unsure, *self.jobs.broken}
        lost = await self.context.read(find_held, self.context.worker) - known
        for job in lost & self._lost_claims:
            log.error("claim_lost", job=job, effect="it is broken off")
            self.jobs.broken[job] = BrokenJob("its claim was lost in its worker", sent=True)
        self._lost_claims = lost

    async def keep_limits(self) -> None:
        """Write to SQL what was learned of limits, so that it outlives Redis and this process."""
        await LearnedLimits(self.context).keep()

    async def log_redis_health(self) -> None:
        """Log what is wrong with Redis, such as an eviction policy that throws keys away, once per change."""
        words = await asyncio.to_thread(self.context.gate.lanes.redis_health)
        if words != self._condition:
            log.warning("redis_condition", warnings=words) if words else log.info("redis_condition", warnings=[])
        self._condition = words

    async def mend_lanes(self) -> None:
        """Forget window entries that nobody will ever fetch or acknowledge: they would keep their jobs from us."""
        if forgotten := await asyncio.to_thread(self.context.gate.lanes.repair):
            log.warning("messages_forgotten", messages=forgotten)

    async def delete_leftovers(self) -> None:
        """Delete what is left of processes that stopped, of operations that ended and of what happened, long ago."""
        await self.context.write(delete_stopped_workers)
        await self.context.write(delete_done_operations)
        while deleted := await self.context.write(delete_events, self.context.settings.storage.keep_events):
            if deleted < DELETE_PAGE:
                return
            await asyncio.sleep(REST)

    async def keep_counters(self) -> None:
        """Delete slots of time that no estimate looks at any more, and mend counts that older code left behind."""
        await self.context.write(prune_pace, KEEP_PACE)
        workers = await self.context.read(list_workers)
        if workers and workers[0].id == self.context.worker:
            await self.context.write(recount_dead)
