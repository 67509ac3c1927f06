"""A whole Holdfast on this machine: storage, simulated providers and worker processes, all ended with it.

The demo, the drill in real time, the benches and the tests of whole systems put up their pools here.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

from holdfast.config import Settings, load
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import SimSettings
from holdfast.lanes import Lanes, connect
from holdfast.model import environment
from holdfast.store import Store
from holdfast.store.fleet import list_workers
from holdfast.store.secrets import message_key
from holdfast.testing.clock import Clock

READY = 60.0  # real seconds for processes to start
GOODBYE = 20.0  # real seconds for a worker to end, then it is killed
LOOK = 0.02  # real seconds between two looks
SHOWN = 3_000  # characters of a log's end
OTHERS = (environment.DATABASE_URL, environment.REDIS_URL, environment.CRASH_AT, environment.FREEZE_AT)


@dataclass
class LocalPool:
    """``sims`` in the order in which they were asked for; ``workers`` are the processes started so far.

    ``surroundings`` are the environment of the workers. ``failure`` is the error of a pool that does not do its work.
    """

    directory: Path
    config: Path
    settings: Settings
    sims: Sequence[SimProcess]
    store: Store
    lanes: Lanes
    surroundings: Mapping[str, str]
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    failure: ClassVar[type[BaseException]] = SystemExit

    @property
    def clock(self) -> Clock:
        """The clock of every process of this pool."""
        return self.settings.runtime.clock

    def launch(self, processes: int = 1, *prefix: str, **more: str) -> "list[subprocess.Popen[bytes]]":
        """Start workers, and do not wait for them.

        ``prefix`` goes between Python and ``-m``; ``more`` is added to the environment.
        """
        command = [sys.executable, *prefix, "-m", "holdfast.cli.parent_death", "holdfast.worker"]
        started = []
        for _ in range(processes):
            with self.log(len(self.workers)).open("wb") as log:
                process = subprocess.Popen(  # noqa: S603  our own
                    [*command, "--config", str(self.config)],
                    env={**self.surroundings, **more},
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C at the terminal is not theirs
                )
            self.workers.append(process)
            started.append(process)
        return started

    def start(self, processes: int, *prefix: str) -> None:
        """Start workers and wait until each holds its lease."""
        started = {process.pid for process in self.launch(processes, *prefix)}
        self.until(lambda: started <= self.leases(), READY, "the workers did not start", all_alive=True)

    def leases(self) -> set[int]:
        """Return the ids of the processes that hold a lease."""
        return {worker.pid for worker in self.store.read(list_workers)}

    def until(
        self,
        true: Callable[[], bool],
        at_most: float = READY,
        why: str = "it did not happen",
        *,
        all_alive: bool = False,
    ) -> None:
        """Wait, in real seconds. Raises ``failure`` when it takes longer, or a worker ends that has to be alive."""
        end_by = time.monotonic() + at_most
        while not true():
            if all_alive:
                self.check()
            if time.monotonic() > end_by:
                raise self.failure(f"{why} within {at_most:.0f} s. The workers said:\n{self.said()}")
            time.sleep(LOOK)

    def check(self) -> None:
        """Raise ``failure`` where a worker ended, which nobody asked for."""
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                said = self.log(number).read_text(errors="replace")[-SHOWN:].strip()
                raise self.failure(f"worker {number} ended with status {worker.returncode}: {said}")

    def log(self, number: int) -> Path:
        return self.directory / f"worker-{number}.log"

    def logs(self) -> list[Path]:
        return sorted(self.directory.glob("worker-*.log"))

    def said(self) -> str:
        """Return the end of every worker's log."""
        return "\n".join(path.read_text(errors="replace")[-SHOWN:] for path in self.logs())

    def stop_workers(self, *, at_once: bool = False) -> None:
        """End them gently, so that everything is written; ``at_once`` cuts what is in flight."""
        for worker in self.workers:
            for _ in range(1 + at_once):
                worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            _end(worker)

    def close(self) -> None:
        """End what is still alive."""
        self.stop_workers(at_once=True)


P = TypeVar("P", bound=LocalPool)


@contextmanager
def local_pool(
    kind: type[P],
    directory: Path,
    sims: Sequence[SimSettings],
    configuration: Callable[[Sequence[str]], str],
    *,
    is_private: bool = True,
) -> Iterator[P]:
    """Put up providers and storage in ``directory``, without a worker yet. Everything ends with the block.

    ``configuration`` makes the text of holdfast.toml from the providers' URLs. A pool that is not ``is_private`` lets
    the environment name another database or Redis.
    """
    away = OTHERS if is_private else ()
    surroundings = {name: value for name, value in os.environ.items() if name not in away}
    with ExitStack() as stack:
        running = [stack.enter_context(SimProcess(settings)) for settings in sims]
        config = directory / "holdfast.toml"
        config.write_text(configuration([sim.url for sim in running]), encoding="utf-8")
        settings = load(config, surroundings)
        storage = settings.storage
        store = Store(storage.database_url, settings.runtime)
        stack.callback(store.close)
        store.ensure()
        key = message_key(store, storage.message_key)
        connection = connect(storage.redis_url, storage.directory, namespace=storage.namespace, key=lambda: key)
        stack.callback(connection.close)
        lanes = Lanes(connection)
        lanes.ping()  # starts the embedded server, which then outlives every worker that is killed
        pool = kind(directory, config, settings, running, store, lanes, surroundings)
        stack.callback(pool.close)
        yield pool


def _end(worker: "subprocess.Popen[bytes]") -> None:
    try:
        worker.wait(GOODBYE)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
