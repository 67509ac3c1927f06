"""The pool of one process: puts the parts together, keeps them running, and stops without losing anything."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from holdfast.config import Settings
from holdfast.credentials import Credentials
from holdfast.lanes import Connection, Gate
from holdfast.lanes.ended_jobs import EndedJobsPublisher
from holdfast.lanes.task_ends import ended
from holdfast.model.errors import HoldfastError
from holdfast.model.route import Plan
from holdfast.store import Store
from holdfast.store.fleet import stop_worker
from holdfast.store.requeue import requeue
from holdfast.worker.attempt import AttemptRunner
from holdfast.worker.breaker_rules import rules_of
from holdfast.worker.call_runner import CallRunner
from holdfast.worker.context import WorkerContext
from holdfast.worker.credential_monitor import CredentialMonitor
from holdfast.worker.fault_counter import FaultCounter
from holdfast.worker.fetcher import Fetcher
from holdfast.worker.held_jobs import HeldJobs
from holdfast.worker.lane_schedule import LaneSchedule
from holdfast.worker.learned_limits import LearnedLimits
from holdfast.worker.overrides import Overrides
from holdfast.worker.part_tasks import keep_running
from holdfast.worker.peer_watch import PeerWatch
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.provider_pool import ProviderPool
from holdfast.worker.redis_start import RedisStart
from holdfast.worker.sweeper import Sweeper
from holdfast.worker.window_refiller import WindowRefiller

if TYPE_CHECKING:
    from holdfast.worker.later_parts import LaterParts

log = structlog.get_logger()
LAST_WORDS = 5.0  # seconds in which Redis is told of the last calls
HINT_WAIT = 30.0  # seconds to wait for a hint in one go
SECRETS_WAIT = 0.2  # seconds at the start for secrets; routes whose command takes longer join when it has answered
FIRST_CALLS = 0.5  # seconds from the start in which first calls leave,
OPENING = 2.0  # and after that until a rate that nobody limits is at its height
HINTS_APART = 0.005  # seconds between two looks after hints


@dataclass(slots=True)
class Stop:
    """``gently``: start nothing new, let calls finish. ``now``: hand back what is in flight."""

    gently: asyncio.Event = field(default_factory=asyncio.Event)
    now: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """The first time gently, the second time now."""
        (self.now if self.gently.is_set() else self.gently).set()


class Pool:
    """``run`` until ``stop``; every job that was claimed is recorded or handed back."""

    def __init__(self, settings: Settings, store: Store, connection: Connection) -> None:
        self.settings = settings
        rules, clock = rules_of(settings), settings.runtime.clock
        self.ended_jobs = EndedJobsPublisher(lambda: connection)
        store.tell_ended = self.ended_jobs.publish
        self.providers = ProviderPool(settings, settings.worker.concurrency, Credentials(settings, connection))
        gate = Gate(connection, window=settings.worker.window, rules=rules, clock=clock)
        self.context = context = WorkerContext(settings, store, gate, LaneSchedule(settings, self.providers))
        self.credential_monitor = CredentialMonitor(
            connection, self.providers.credentials.names, unusable=lambda: self.providers.unusable
        )
        self.providers.credentials.changed = self._new_login
        self.releaser = PermitReleaser(context)
        faults = FaultCounter(connection)
        calls = CallRunner(context, self.providers, self.credential_monitor, faults)
        self.jobs = HeldJobs(AttemptRunner(context, calls, self.releaser), context.slots)
        overrides = Overrides(store, gate)
        self.connection = connection
        self.later_parts: LaterParts | None = None
        self.fetcher = Fetcher(context, self.jobs, WindowRefiller(context), RedisStart(context, overrides))
        self.parts: Mapping[str, Callable[[], Awaitable[None]]] = {
            "releaser": self.releaser.run,
            "peers": PeerWatch(context).run,
            "sweeper": Sweeper(context, self.jobs, overrides).run,
            "listener": self._listen,
            "fault_counter": faults.run,
            "credential_monitor": self.credential_monitor.run,
            "lease": context.lease.run,
        }

    async def run(self, stop: Stop) -> None:
        """Work until ``stop`` asks for an end."""
        context = self.context
        context.writer.start()
        credentials = asyncio.create_task(keep_running("credentials", self.providers.credentials.run))
        await self.providers.credentials.read(at_most=SECRETS_WAIT)
        context.lanes.load()
        plans = [lane.plan for lane in context.lanes.in_order()]
        # Before the first permit: while an SDK is imported, allowances would pile up.
        first = self.providers.open(route for plan in plans for route in plan.routes[:1])
        await asyncio.gather(first, self.fetcher.redis_start.begin_early())
        gc.freeze()  # what is loaded by now stays: to look through it again and again would hold up every call
        later = asyncio.create_task(self._keep_later_running(plans))
        worker = await context.lease.sign_on()
        fetching = asyncio.create_task(keep_running("fetcher", self.fetcher.run))
        others = [asyncio.create_task(keep_running(name, part)) for name, part in self.parts.items()]
        log.info("worker_ready", worker=worker, slots=context.slots.total, lanes=len(context.lanes.entries))
        await stop.gently.wait()
        log.info("worker_stopping", worker=context.worker, in_flight=len(self.jobs.running))
        await ended([fetching])
        await asyncio.gather(*self.fetcher.claiming, return_exceptions=True)
        await self._finish_calls(stop)
        await self._hand_back()
        await self._end_parts([later, credentials, *others])
        await asyncio.to_thread(context.writer.close)
        await asyncio.to_thread(self.ended_jobs.close)
        await self.providers.close()
        log.info("worker_stopped", worker=context.worker)

    async def _keep_later_running(self, plans: Sequence[Plan]) -> None:
        """Begin again where making ready fails: what retention, alerts and webhooks need is among it."""
        await keep_running("later_parts", partial(self._run_later, plans))

    async def _run_later(self, plans: Sequence[Plan]) -> None:
        """Make ready what first calls do not need once they have left, and the duties once calls are at their height.

        Imports hold up every call, and one that is late for that passes for a sign that the server has enough.
        """
        await asyncio.sleep(FIRST_CALLS)
        await asyncio.to_thread(look_up_prices, self.settings)
        await self.providers.open(route for plan in plans for route in plan.routes[1:])
        await asyncio.sleep(OPENING)
        self.later_parts = await asyncio.to_thread(self._make_later_parts)
        await asyncio.gather(*(keep_running(name, part) for name, part in self.later_parts.by_name.items()))

    def _make_later_parts(self) -> "LaterParts":
        from holdfast.worker.later_parts import LaterParts  # noqa: PLC0415 - slow to import

        return LaterParts(self.settings, self.context.store, self.connection, self.context.dependencies)

    async def _end_parts(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """End the tasks, then the threads that some of them began: a task that is cancelled twice closes nothing."""
        await ended(tasks)
        if self.later_parts is not None:
            await self.later_parts.close()

    async def _listen(self) -> None:
        """Look into the lanes when somebody hints at work. Nothing depends on it: the fetcher looks anyway."""
        wake, look_at = self.context.gate.wake, 0.0  # on the steady clock
        while True:
            if hinted := await wake.wait(at_most=HINT_WAIT):
                if (early := look_at - time.monotonic()) > 0:
                    await asyncio.sleep(early)
                    hinted |= await wake.wait(at_most=0.0)
                self.context.slots.wake(hurry=self.context.lanes.wake_hinted(hinted))
                look_at = time.monotonic() + HINTS_APART

    async def _new_login(self, provider: str, credential: str) -> None:
        """There is another key or token: plan with it if it was missing, and try it at once."""
        if self.providers.found_missing(provider, credential):
            self.context.lanes.plan_again()
            self.context.slots.wake()
        await self.credential_monitor.changed(provider, credential)

    async def _finish_calls(self, stop: Stop) -> None:
        """Let calls finish until the grace period ends or the second signal comes; then cut them."""
        attempts = [*self.jobs.running.values()]
        told = asyncio.create_task(stop.now.wait())
        done = asyncio.create_task(all_ended(attempts))
        grace = self.context.settings.worker.grace
        await asyncio.wait({told, done}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        await ended(attempts)
        await done

    async def _hand_back(self) -> None:
        """Queue what is still ours, free our permits, and end the lease; what fails here the lease's end mends."""
        context, worker = self.context, self.context.worker
        try:
            offers = await context.write(requeue, worker, None)
            released = await self.releaser.drain(LAST_WORDS)
            await LearnedLimits(context).keep()
            await context.gate.release(worker)
            await context.gate.offer(offers)
            if released:
                await context.write(stop_worker, worker)
        except HoldfastError as error:
            log.warning("farewell_failed", worker=worker, why=str(error), effect="the lease's end mends it")


def look_up_prices(settings: Settings) -> None:
    """Find what routes cost before the first call has to know: it takes a third of a second."""
    for route in {route.name: route for plan in settings.models.values() for route in plan.routes}.values():
        _ = route.known_price


async def all_ended(attempts: Iterable[asyncio.Task[None]]) -> None:
    await asyncio.gather(*attempts, return_exceptions=True)
