"""Worker processes of a command's own, for its duration, where no live worker serves the storage."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from holdfast.cli.context import close_at_end, context, settings
from holdfast.cli.processes import Child, Processes
from holdfast.cli.show import say
from holdfast.client.open_backend import asks_server
from holdfast.model.errors import StorageUnavailable

if TYPE_CHECKING:
    from holdfast.client.backend import Backend
    from holdfast.client.installation import Installation
    from holdfast.config import Settings
    from holdfast.model.records import WorkerRecord

LOOK_EVERY = 2.0  # seconds between two looks for live workers
MAX_QUICK_DEATHS = 4  # of our own worker before the command gives up


def worker_children(known: "Settings", processes: int | None, *, log: bool) -> list[Child]:
    """Describe worker processes. With ``log`` they write to a file, so that they do not disturb a display."""
    from holdfast.cli.programs import find

    arguments = ["--config", str(known.source)] if known.source else []
    path, module = known.storage.directory / "worker.log" if log else None, find("worker").module
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    return [Child("worker", module, arguments, path) for _ in range(processes or known.worker.processes)]


class OwnWorkers:
    """Our own worker processes, which work while no other live worker is registered.

    Those of ``prepare`` import what they need while this process opens the storage and writes jobs.
    """

    def __init__(self, known: "Settings", processes: int | None) -> None:
        children = worker_children(known, processes, log=True)
        self._processes = Processes(children, known.worker.grace, MAX_QUICK_DEATHS)
        self._next_look = 0.0
        self._prepared = self.started = False

    def prepare(self) -> None:
        """Have them get ready to work."""
        self._processes.start(standby=True)
        self._prepared = True

    def check(self, installation: "Installation") -> None:
        """Let them work if nobody else does, and start again what has died. Raises ChildFailed."""
        if self.started:
            self._processes.check()
        elif time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY
            if not others_work(installation):
                self._begin()

    def stop(self) -> None:
        self._processes.stop()

    def _begin(self) -> None:
        if self._prepared:
            self._processes.begin()
        else:
            self._processes.start()
        self.started = True
        children = self._processes.children
        say(f"no worker is running: starting {counted(len(children))} (log: {children[0].log})")


def prepare_workers(processes: int | None = None) -> OwnWorkers | None:
    """Have workers get ready for when nobody else works on the configured storage; None: a server is asked.

    They end with the command.
    """
    if asks_server(context().config, context().server):
        return None
    own = OwnWorkers(settings(), processes)
    close_at_end(own.stop)
    own.prepare()
    return own


@contextmanager
def workers(
    backend: "Backend", processes: int | None = None, prepared: OwnWorkers | None = None
) -> Iterator[Callable[[], None]]:
    """See to it that jobs are worked on inside the block: by those ``prepared``, or new ones, if nobody else does.

    Yields what a command has to call again and again while it waits. Raises ChildFailed.
    """
    installation = backend.installation
    if installation is None:
        yield lambda: None  # a server looks after its own workers
        return
    own = prepared or OwnWorkers(installation.settings, processes)
    try:
        own.check(installation)
        yield partial(own.check, installation)
    except KeyboardInterrupt:
        if own.started:
            say("finishing the calls under way; Ctrl-C again ends them at once")
        raise
    finally:
        own.stop()


def others_work(installation: "Installation") -> bool:
    """Tell whether a live worker serves the storage."""
    try:
        return any(is_alive(worker) for worker in installation.workers())
    except StorageUnavailable:
        return True  # no worker can work now; those that did will go on


def counted(processes: int) -> str:
    return "one process for the duration" if processes == 1 else f"{processes} processes for the duration"


def is_alive(worker: "WorkerRecord") -> bool:
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
