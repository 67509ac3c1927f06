"""Whether other hosts work beside this one: then what only we cannot reach is our own link's fault."""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.model.errors import StorageUnavailable
from holdfast.store.fleet import list_workers
from holdfast.worker.context import WorkerContext

LOOK_EVERY = 2.0  # seconds


@dataclass(slots=True)
class PeerWatch:
    """``host`` is our own name, as the lease says it."""

    context: WorkerContext
    host: str = socket.gethostname()

    async def run(self) -> None:
        """Until cancelled. While SQL is away, what was true stays true."""
        while True:
            try:
                workers = await self.context.read(list_workers)
                self.context.gate.local_breakers.host = (
                    self.host if has_others((worker.host for worker in workers), self.host) else ""
                )
            except StorageUnavailable as error:
                self.context.dependencies.failed(error)
            await asyncio.sleep(LOOK_EVERY)


def has_others(hosts: Iterable[str], ours: str) -> bool:
    """Tell whether anybody works elsewhere.

    >>> has_others(["one", "one"], "one"), has_others(["one", "two"], "one")
    (False, True)
    """
    return any(host != ours for host in hosts)
