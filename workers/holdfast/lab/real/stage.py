"""The stage of a drill in real time: private storage, simulated providers, a real pool, all ended with it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.config import Settings, load
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.providers import control
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.real.plan import KEY, Cast, configuration, script_of, sims_of
from holdfast.lanes import Lanes, connect
from holdfast.model.errors import HoldfastError
from holdfast.store import Store
from holdfast.store.fleet import list_workers
from holdfast.store.secrets import message_key
from holdfast.testing import Clock

READY = 60.0  # real seconds for processes to start
LAST_WORDS = 20.0  # real seconds for a worker to end
SHOWN = 2_000  # characters of a log


class DrillFailed(HoldfastError):
    """The drill itself did not work; nothing is said of the pool."""

    code = "drill_failed"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the drill could not be played: {self.why}"


@dataclass(slots=True)
class Stage:
    """``directory`` holds everything; ``workers`` are the processes of the pool, ``sims`` in plan order."""

    directory: Path
    cast: Cast
    settings: Settings
    sims: Sequence[SimProcess]
    store: Store
    lanes: Lanes
    workers: "list[subprocess.Popen[bytes]]"

    @property
    def clock(self) -> Clock:
        """The drill's, as every process that it started has it."""
        return self.settings.runtime.clock

    def start_scripts(self, scenario: Scenario) -> None:
        """The scripts of all providers begin now."""
        for place, sim in enumerate(self.sims):
            control.play(sim.url, script_of(scenario, place))

    def check(self) -> None:
        """Raises DrillFailed: a worker died, which no scenario asks for."""
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                raise DrillFailed(f"worker {number} ended with status {worker.returncode}: {self._said(number)}")

    def stop_workers(self) -> None:
        """End the pool gently, so that everything is written."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            _end(worker)
        self.workers.clear()

    def logs(self) -> list[Path]:
        return sorted(self.directory.glob("worker-*.log"))

    def _said(self, number: int) -> str:
        return (self.directory / f"worker-{number}.log").read_text(errors="replace")[-SHOWN:].strip()


@contextmanager
def stage(scenario: Scenario, seed: int, settings: Settings | None, speed: float) -> Iterator[Stage]:
    """Everything that a drill needs. Raises DrillFailed."""
    cast = Cast(scenario, settings)
    os.environ.setdefault(KEY, "no-key-is-needed")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-drill-")))
        sims = [stack.enter_context(SimProcess(each)) for each in sims_of(scenario, cast, seed)]
        config = directory / "holdfast.toml"
        config.write_text(configuration(cast, [sim.url for sim in sims], directory, speed), encoding="utf-8")
        loaded = load(config, {**os.environ, "HOLDFAST_DATABASE_URL": "", "HOLDFAST_REDIS_URL": ""})
        store = Store(loaded.storage.database_url, loaded.runtime)
        stack.callback(store.close)
        store.ensure()
        key = message_key(store, loaded.storage.message_key)
        connection = connect("embedded", directory, key=lambda: key)
        stack.callback(connection.close)
        lanes = Lanes(connection)
        lanes.ping()
        set_up = Stage(directory, cast, loaded, sims, store, lanes, [])
        stack.callback(_end_all, set_up.workers)
        _start(set_up, config)
        yield set_up


def _start(on: Stage, config: Path) -> None:
    """Start the pool, and wait until every process holds its lease."""
    command = [sys.executable, "-m", "holdfast.cli.parent_death", "holdfast.worker", "--config", str(config)]
    away = {"HOLDFAST_DATABASE_URL", "HOLDFAST_REDIS_URL", "HOLDFAST_CRASH_AT"}
    environment = {name: value for name, value in os.environ.items() if name not in away}
    for number in range(on.cast.worker.processes):
        with (on.directory / f"worker-{number}.log").open("wb") as log:
            on.workers.append(
                subprocess.Popen(  # noqa: S603  our own
                    command, stderr=log, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
                )
            )
    wait_for(lambda: len(on.store.read(list_workers)) == len(on.workers), on.check, "the workers did not start")


def wait_for(true: Callable[[], bool], check: Callable[[], None], why: str, at_most: float = READY) -> None:
    """Wait, in real seconds. Raises DrillFailed."""
    end_by = time.monotonic() + at_most
    while not true():
        check()
        if time.monotonic() > end_by:
            raise DrillFailed(f"{why} within {at_most:.0f} s")
        time.sleep(0.05)


def _end_all(workers: "list[subprocess.Popen[bytes]]") -> None:
    """At once: the second signal cuts what is in flight."""
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.send_signal(signal.SIGTERM)
    for worker in workers:
        _end(worker)


def _end(worker: "subprocess.Popen[bytes]") -> None:
    try:
        worker.wait(LAST_WORDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
