"""What is slow and rare runs beside the pool: dramatiq's worker does it in threads of its own, told by messages.

Each message names an operation, a row of SQL. Rows that nobody works on get their message again.
"""

import asyncio
import time
from dataclasses import dataclass, field
from threading import Event

import structlog

from holdfast.lanes import Connection
from holdfast.lanes.actors import ActorQueue
from holdfast.model.errors import HoldfastError, QueueUnavailable, StorageUnavailable
from holdfast.store import Store
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import (
    OPERATION_ACTOR,
    RETENTION,
    BulkAction,
    open_retention,
    resting_operations,
)
from holdfast.worker.dependency_health import DependencyHealth

log = structlog.get_logger()
LOOK = 5.0  # seconds between two looks after operations that rest
RESTS = 6.0  # seconds without a page after which an operation's message counts as lost
RETENTION_EVERY = 60.0  # seconds between two rounds of retention, as one process counts them
NOT_AGAIN = 30.0  # seconds after a round in which no other process begins one


@dataclass(slots=True)
class Duties:
    """``keep``: seconds for which ended jobs are kept; None: for ever."""

    store: Store
    connection: Connection
    dependencies: DependencyHealth
    keep: float | None
    _retention_at: float = 0.0
    _stopping: Event = field(default_factory=Event)
    _opening: asyncio.Task[ActorQueue] | None = None

    async def run(self) -> None:
        """Until cancelled: work on what messages name, and send messages for what rests. ``close`` follows."""
        await self.close()
        self._stopping.clear()
        self._opening = asyncio.create_task(asyncio.to_thread(self._open))
        queue = await asyncio.shield(self._opening)  # its thread goes on, and ``close`` has to know what it opened
        while self.connection.url == queue.url:  # an embedded server may have come back elsewhere
            await self._look(queue)
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Stop dramatiq's threads, while there is a Redis: one that loses it first sleeps for three seconds."""
        self._stopping.set()
        if self._opening is not None:
            opening, self._opening = self._opening, None
            await asyncio.wait([opening])
            if opening.exception() is None:
                await asyncio.to_thread(opening.result().stop)

    def _open(self) -> ActorQueue:
        queue = ActorQueue(self.connection)
        queue.declare(OPERATION_ACTOR, self.work_off)
        queue.start()
        return queue

    async def _look(self, queue: ActorQueue) -> None:
        try:
            for operation in await asyncio.to_thread(self._due):
                await asyncio.to_thread(queue.send, OPERATION_ACTOR, operation)
        except StorageUnavailable as error:
            self.dependencies.sql_failed(error)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)

    def _due(self) -> list[str]:
        """Operations that need a message: those that rest, and retention when its time has come."""
        due = self.store.read(resting_operations, RESTS)
        if self.keep is not None and time.monotonic() >= self._retention_at:
            if self.store.write(open_retention, self.keep, NOT_AGAIN):
                due.append(RETENTION)
            self._retention_at = time.monotonic() + RETENTION_EVERY
        return due

    def work_off(self, operation: str) -> None:
        """Do what is left of an operation, in a thread of dramatiq's. What fails is tried again when it has rested."""
        try:
            done = work_off(self.store, operation, lambda: not self._stopping.is_set())
        except HoldfastError as error:
            log.warning("operation_waits", operation=operation, why=str(error))
        except Exception:
            log.exception("operation_broke", operation=operation, effect="it is tried again")
        else:
            if done.action is BulkAction.DELETE_ENDED and done.done and done.jobs:
                log.info("old_jobs_deleted", jobs=done.jobs)
