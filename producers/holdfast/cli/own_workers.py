"""Worker processes of a command's own, for its duration, where no live worker serves the storage."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from holdfast.cli.processes import Child, Processes
from holdfast.cli.programs import find
from holdfast.cli.show import say
from holdfast.client.backend import Backend
from holdfast.client.local import LocalBackend
from holdfast.config import Settings
from holdfast.model.errors import StorageUnavailable
from holdfast.model.records import WorkerRecord

LOOK_EVERY = 2.0  # seconds between two looks for live workers
MAX_QUICK_DEATHS = 4  # of our own worker before the command gives up


def worker_children(settings: Settings, processes: int, *, log: bool) -> list[Child]:
    """Describe worker processes. With ``log`` they write to a file, so that they do not disturb a display."""
    arguments = ["--config", str(settings.source)] if settings.source else []
    path, module = settings.storage.directory / "worker.log" if log else None, find("worker").module
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    return [Child("worker", module, arguments, path) for _ in range(processes)]


@contextmanager
def workers(backend: Backend, processes: int | None) -> Iterator[Callable[[], None]]:
    """See to it that jobs are worked on inside the block. ``processes`` of a pool of our own, if one is needed.

    Yields what a command has to call again and again while it waits. Raises ChildFailed.
    """
    if not isinstance(backend, LocalBackend):
        yield lambda: None  # a server looks after its own workers
        return
    pool = OwnWorkers(backend, processes or backend.installation.settings.worker.processes)
    try:
        pool.check()
        yield pool.check
    except KeyboardInterrupt:
        if pool.started:
            say("finishing the calls under way; Ctrl-C again ends them at once")
        raise
    finally:
        pool.stop()


class OwnWorkers:
    """Our own worker processes, started while no other live worker is registered."""

    def __init__(self, backend: LocalBackend, processes: int) -> None:
        self._backend, self._count = backend, processes
        self._processes: Processes | None = None
        self._next_look = 0.0

    @property
    def started(self) -> bool:
        return self._processes is not None

    def check(self) -> None:
        if self._processes is not None:
            self._processes.check()
        elif time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY
            if not self._others_work():
                self._start()

    def stop(self) -> None:
        if self._processes is not None:
            self._processes.stop()

    def _start(self) -> None:
        settings = self._backend.installation.settings
        children = worker_children(settings, self._count, log=True)
        say(f"no worker is running: starting {counted(self._count)} (log: {children[0].log})")
        self._processes = Processes(children, settings.worker.grace, MAX_QUICK_DEATHS)
        self._processes.start()

    def _others_work(self) -> bool:
        try:
            return any(is_alive(worker) for worker in self._backend.workers())
        except StorageUnavailable:
            return True  # no worker can work now; those that did will go on


def counted(processes: int) -> str:
    return "one process for the duration" if processes == 1 else f"{processes} processes for the duration"


def is_alive(worker: WorkerRecord) -> bool:
    """Tell whether a worker with a live lease is there; on this host its process can be looked for."""
    if worker.host != socket.gethostname():
        return True
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and another user's
    return True
