"""The lease of this process: renewed while SQL answers; lost, the process becomes a new worker."""

import asyncio
import os
import socket
from dataclasses import dataclass
from importlib.metadata import version

import structlog

from holdfast.model.errors import StorageUnavailable
from holdfast.model.ids import new_id
from holdfast.store import Store
from holdfast.store.fleet import register_worker, renew_lease
from holdfast.testing import PRODUCTION, Clock
from holdfast.worker.dependency_health import DependencyHealth

log = structlog.get_logger()


@dataclass(slots=True)
class Lease:
    """``seconds`` is the length of the lease on SQL's clock; it is renewed three times as often."""

    store: Store
    dependencies: DependencyHealth
    seconds: float
    clock: Clock = PRODUCTION.clock
    worker: str = ""  # who holds it: another one once it was lost
    _asked_at: float = 0.0  # when the lease that we have was asked for

    @property
    def held(self) -> bool:
        """Whether the lease is still ours as far as this host can tell. A process that was frozen finds it is not."""
        return self.clock.monotonic() - self._asked_at < self.seconds

    @property
    def fresh(self) -> bool:
        """Whether it was renewed so lately that every worker that lives can have renewed its own.

        Nobody could write for longer than ours is old; the others' leases were a third gone by then at most.
        """
        return self.clock.monotonic() - self._asked_at < self.seconds / 2

    def covers(self, worker: str) -> bool:
        """Whether what ``worker`` claimed is still ours: a process that lost its lease goes on as another worker."""
        return self.held and worker == self.worker

    async def sign_on(self) -> str:
        """Register as a new worker; its id."""
        worker, asked_at = new_id(), self.clock.monotonic()
        await asyncio.to_thread(
            self.store.write,
            register_worker,
            worker,
            socket.gethostname(),
            os.getpid(),
            version("holdfast"),
            lease=self.seconds,
        )
        self._asked_at, self.worker = asked_at, worker
        return worker

    async def run(self) -> None:
        """Renew until cancelled. Late writes of the lost worker's calls are refused by their fences."""
        while True:
            await asyncio.sleep(self.clock.real(self.seconds / 3))
            asked_at = self.clock.monotonic()
            try:
                if await asyncio.to_thread(self.store.write, renew_lease, self.worker, self.seconds):
                    self._asked_at = asked_at
                else:
                    lost, worker = self.worker, await self.sign_on()
                    log.warning("lease_lost", worker=lost, now=worker, effect="its jobs were taken over")
            except StorageUnavailable as error:
                self.dependencies.sql_failed(error)
