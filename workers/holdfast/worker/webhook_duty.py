"""Webhooks as a duty beside the pool: events become deliveries, and an actor sends those that are due (decision 24)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import structlog

from holdfast.config import Settings
from holdfast.lanes import Connection
from holdfast.lanes.actors import ActorQueue
from holdfast.model.errors import QueueUnavailable, StorageUnavailable
from holdfast.store import Store
from holdfast.store.webhook_deliveries import bury_old_deliveries, delete_old_deliveries, find_due
from holdfast.store.webhook_endpoints import has_endpoints
from holdfast.store.webhook_events import announce_events
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.webhook_deliverer import WebhookDeliverer, deliver

log = structlog.get_logger()
LOOK = 0.5  # seconds between two looks while there are receivers
IDLE = 2.0  # seconds between two looks whether there are any
CLEAN_EVERY = 60.0  # seconds
QUEUE, ACTOR = "webhooks", "deliver_webhooks"  # a queue of its own, which no long operation holds up
DUE = "due"  # what the actor is told: look at what is due


@dataclass(slots=True)
class WebhookDuty:
    """One per process. It costs a look now and then where nobody has a receiver."""

    settings: Settings
    store: Store
    connection: Connection
    dependencies: DependencyHealth
    _clean_at: float = 0.0
    _stopping: Event = field(default_factory=Event)

    async def run(self) -> None:
        """Until cancelled: announce events, and have what is due sent."""
        while not await self._told(self._has_receivers):  # noqa: ASYNC110 - what is waited for happens in SQL
            await asyncio.sleep(IDLE)
        queue = await asyncio.to_thread(self._open)
        try:
            while self.connection.url == queue.url:  # an embedded server may have come back elsewhere
                await self._told(lambda: self.look(queue))
                await asyncio.sleep(LOOK)
        finally:
            self._stopping.set()
            await asyncio.to_thread(queue.stop)

    async def _told(self, work: Callable[[], bool]) -> bool:
        """Do ``work`` in a thread; False where SQL or Redis is away, which is told once for all parts."""
        try:
            return await asyncio.to_thread(work)
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
        return False

    def _has_receivers(self) -> bool:
        return self.store.read(has_endpoints)

    def _open(self) -> ActorQueue:
        self._stopping.clear()
        queue = ActorQueue(self.connection, QUEUE, threads=1)
        queue.declare(ACTOR, self.deliver)
        queue.start()
        return queue

    def look(self, queue: ActorQueue) -> bool:
        """Write deliveries of what happened, and send a message where something is due: then True."""
        announce_events(self.store)
        is_due = bool(self.store.read(find_due, (), 1))
        if is_due:
            queue.send(ACTOR, DUE)
        if time.monotonic() >= self._clean_at:
            self._clean_at = time.monotonic() + CLEAN_EVERY
            self.clean()
        return is_due

    def clean(self) -> None:
        """Give up what no receiver took for days, and delete what ended long ago."""
        while buried := self.store.write(bury_old_deliveries, self.settings.webhooks.give_up_after):
            log.warning("webhooks_given_up", deliveries=buried, effect="`holdfast webhook redeliver` sends them again")
        self.store.write(delete_old_deliveries)

    def deliver(self, _due: str) -> None:
        """Send what is due, in a thread of dramatiq's."""
        settings = self.settings
        deliver(WebhookDeliverer(self.store, settings.webhooks.allowed, settings.alerts.command, self._stopping.is_set))
