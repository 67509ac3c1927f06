"""The pool of one process: puts the parts together, keeps them running, and stops without losing anything."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import structlog

from holdfast.config import Settings
from holdfast.credentials import Credentials
from holdfast.lanes import Connection, Gate
from holdfast.model.errors import HoldfastError, QueueUnavailable
from holdfast.model.job import Claimed, Permit
from holdfast.model.route import Plan
from holdfast.policy.breaker_rules import Rules, rules_for
from holdfast.policy.rate_limit import LATE_AFTER
from holdfast.store import GroupWriter, Store
from holdfast.store.fleet import stop_worker
from holdfast.store.requeue import called_within, requeue
from holdfast.worker.attempt import AttemptRunner
from holdfast.worker.call_runner import CallRunner
from holdfast.worker.call_slots import CallSlots
from holdfast.worker.credential_monitor import CredentialMonitor
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.duties import Duties
from holdfast.worker.fetcher import Fetcher
from holdfast.worker.lane_schedule import LaneSchedule, ScheduledLane
from holdfast.worker.lease import Lease
from holdfast.worker.overrides import Overrides
from holdfast.worker.peer_watch import PeerWatch
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.provider_pool import ProviderPool
from holdfast.worker.sweeper import Sweeper
from holdfast.worker.window_refiller import WindowRefiller

log = structlog.get_logger()
# Seconds: calls made in them mean that a Redis without our epoch was lost, not new. Longer than any cool-off: in a long
# outage the last call was a probe, and a breaker that Redis forgot must not come back closed.
RECENT = 900.0
SENT_BY_NOW = 2 * LATE_AFTER  # seconds in which a call that was permitted before the loss has left, or must ask anew
FAREWELL = 5.0  # seconds for the last words to Redis
HINTLESS = 30.0  # seconds to wait for a hint in one go
HINTS_APART = 0.02  # seconds between two looks after hints
CANCEL_AGAIN = 0.1  # seconds until a part that has not ended is cancelled once more
REVIVE = 1.0  # seconds between looks at a part that failed


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
        self.settings, self.store, self.connection = settings, store, connection
        runtime = settings.runtime
        self.dependencies = DependencyHealth()
        self.slots = CallSlots(settings.worker.concurrency)
        self.providers = ProviderPool(settings, settings.worker.concurrency, Credentials(settings, connection))
        self.credential_monitor = CredentialMonitor(connection, credential_names(settings))
        self.providers.credentials.changed = self._new_login
        self.lanes = LaneSchedule(settings, self.providers)
        self.writer = GroupWriter(store)
        self.gate = Gate(connection, window=settings.worker.window, rules=rules_of(settings), clock=runtime.clock)
        self.overrides = Overrides(store, self.gate)
        self.releaser = PermitReleaser(self.gate, self.dependencies, runtime)
        self.lease = Lease(store, self.dependencies, settings.worker.lease, clock=runtime.clock)
        calls = CallRunner(
            self.providers, self.lease, self.credential_monitor, self.gate, self.dependencies, self.slots, runtime
        )
        self.attempts = AttemptRunner(self.writer, self.gate, self.releaser, calls, self.dependencies, runtime)
        self.in_flight: dict[str, asyncio.Task[None]] = {}
        self.unsure: set[str] = set()  # jobs that SQL may count as ours though nobody here runs them

    async def run(self, stop: Stop) -> None:
        self.writer.start()
        self.lanes.load()
        await self.providers.open_all(entry.plan for entry in self.lanes.in_order())
        gc.freeze()  # what is loaded by now stays: to look through it again and again would hold up every call
        worker = await self.lease.sign_on()
        fetcher, parts = self._parts(worker)
        running = [asyncio.create_task(keep_running(name, part)) for name, part in parts.items()]
        log.info("worker_ready", worker=worker, places=self.slots.total, lanes=len(self.lanes.entries))
        await stop.gently.wait()
        log.info("worker_stopping", worker=fetcher.worker, in_flight=len(self.in_flight))
        await self._stop(stop, fetcher, running)

    def _parts(self, worker: str) -> tuple[Fetcher, dict[str, Callable[[], Awaitable[None]]]]:
        window, runtime = self.settings.worker.window, self.settings.runtime
        refiller = WindowRefiller(self.store, self.gate, self.lanes, self.slots, self.dependencies, window, runtime)
        fetcher = Fetcher(
            self.gate,
            self.writer,
            self.lanes,
            self.slots,
            self.dependencies,
            self._start,
            refiller.soon,
            self._begin,
            worker,
            self.unsure,
            runtime,
        )
        sweeper = Sweeper(
            self.store,
            self.gate,
            self.lanes,
            self.slots,
            self.dependencies,
            fetcher,
            self.overrides,
            self._held,
            window,
            self.lease,
            runtime,
        )
        self.lease.renamed = lambda new: setattr(fetcher, "worker", new)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "fetcher": fetcher.run,
            "releaser": self.releaser.run,
            "peers": PeerWatch(self.store, self.gate, self.dependencies).run,
            "sweeper": sweeper.run,
            "duties": Duties(self.store, self.connection, self.dependencies, self.settings.storage.keep_results).run,
            "listener": self._listen,
            "credentials": self.providers.credentials.run,
            "credential_monitor": self.credential_monitor.run,
            "lease": lambda: self.lease.run(fetcher.worker),
        }
        return fetcher, parts

    async def _listen(self) -> None:
        """Look into the lanes when somebody hints at work. Nothing depends on it: the fetcher looks anyway."""
        while True:
            if await self.gate.wake.wait(at_most=HINTLESS):
                self.lanes.wake_all()
                self.slots.wake()
            await asyncio.sleep(HINTS_APART)

    async def _new_login(self, provider: str, credential: str) -> None:
        """There is another key or token: plan with it if it was missing, and try it at once."""
        if self.providers.found_missing(provider, credential):
            self.lanes.plan_again()
        await self.credential_monitor.changed(provider, credential)

    def _held(self) -> frozenset[str]:
        return frozenset(self.in_flight)

    def _start(self, job: Claimed, permit: Permit, lane: ScheduledLane) -> None:
        attempt = asyncio.create_task(self.attempts.run(job, permit, lane.plan))
        self.in_flight[job.id] = attempt
        attempt.add_done_callback(lambda done: self._ended(job, permit, done))

    def _ended(self, job: Claimed, permit: Permit, attempt: asyncio.Task[None]) -> None:
        if self.in_flight.get(job.id) is attempt:
            del self.in_flight[job.id]
        self.slots.left(permit.id)
        self.slots.give_back()
        if not attempt.cancelled() and (error := attempt.exception()):
            log.error("attempt_broke", job=job.id, error=repr(error), effect="its job is handed back", exc_info=error)
            self.unsure.add(job.id)

    async def _begin(self) -> None:
        """Redis does not know us. After recent calls it was lost, and allowances must start empty-handed.

        Overrides go first: until it is begun, the gate gives nothing, so no job slips past an operator's pause.
        """
        lost = await self._called_lately()
        log.warning("redis_begun", state="lost" if lost else "fresh", effect="windows are rebuilt from SQL")
        await self.overrides.restore()
        await self.gate.begin(fresh=not lost)

    async def _called_lately(self) -> bool:
        """Whether SQL knows of recent calls. One whose permit Redis gave just before it forgot may not be there yet."""
        if await asyncio.to_thread(self.store.read, called_within, RECENT):
            return True
        await asyncio.sleep(SENT_BY_NOW)
        return await asyncio.to_thread(self.store.read, called_within, RECENT)

    async def _stop(self, stop: Stop, fetcher: Fetcher, running: list[asyncio.Task[None]]) -> None:
        """Stop claiming at once; let calls finish within the grace period; then hand back what is left."""
        fetching, *others = running
        await ended([fetching])
        await asyncio.gather(*fetcher.claiming, return_exceptions=True)
        await self._finish(stop)
        await self._hand_back(fetcher.worker)
        await ended(others)
        await asyncio.to_thread(self.writer.close)
        await self.providers.close()
        log.info("worker_stopped", worker=fetcher.worker)

    async def _finish(self, stop: Stop) -> None:
        """Let calls finish until the grace period ends or the second signal comes; then cut them."""
        told = asyncio.create_task(stop.now.wait())
        done = asyncio.create_task(all_of(self.in_flight.values()))
        await asyncio.wait({told, done}, timeout=self.settings.worker.grace, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        await ended([*self.in_flight.values()])
        await done

    async def _hand_back(self, worker: str) -> None:
        """Queue what is still ours, free our permits, and end the lease; what fails here the lease's end mends."""
        try:
            offers = await asyncio.to_thread(self.store.write, requeue, worker, None)
            heard = await self.releaser.drain(FAREWELL)
            await self.gate.release(worker)
            await self.gate.offer(offers, window=self.settings.worker.window)
            if heard:
                await asyncio.to_thread(self.store.write, stop_worker, worker)
        except HoldfastError as error:
            log.warning("farewell_failed", worker=worker, why=str(error), effect="the lease's end mends it")


def credential_names(settings: Settings) -> list[str]:
    return [f"{provider.name}/{each.name}" for provider in settings.providers.values() for each in provider.credentials]


def rules_of(settings: Settings) -> Callable[[str], Rules]:
    """The rules of each breaker by its scope's name, with what the operator changed for a provider's routes."""
    plans = [*settings.models.values(), *_direct_plans(settings)]

    def rules(scope: str) -> Rules:
        built_in = rules_for(scope, plans)
        kind, _, name = scope.partition(":")
        provider = settings.providers.get(name.partition("/")[0])
        return built_in.overridden(provider.breaker.overrides()) if provider and kind == "route" else built_in

    return cache(rules)


def _direct_plans(settings: Settings) -> list[Plan]:
    """How jobs come to a provider that no alias names: by any model of it, with each of its credentials."""
    named = {route.provider for plan in settings.models.values() for route in plan.routes}
    others = [provider for provider in settings.providers.values() if provider.name not in named]
    return [Plan(provider.name, (provider.route(""),)) for provider in others]


async def all_of(attempts: Iterable[asyncio.Task[None]]) -> None:
    await asyncio.gather(*attempts, return_exceptions=True)


async def ended(parts: Sequence[asyncio.Task[None]], again: float = CANCEL_AGAIN) -> None:
    """Cancel until every part has ended. Before Python 3.12 ``wait_for``, through which the Redis client sends,
    swallows a cancellation that comes in the moment in which the send ends.
    """
    while left := [part for part in parts if not part.done()]:
        for part in left:
            part.cancel()
        await asyncio.wait(left, timeout=again)


async def keep_running(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run a part until cancelled; one that breaks is logged and started again."""
    while True:
        try:
            await part()
        except QueueUnavailable as error:
            log.warning("part_waits", part=name, why=str(error))
        except Exception:
            log.exception("part_broke", part=name, effect="it is started again")
        await asyncio.sleep(REVIVE)
