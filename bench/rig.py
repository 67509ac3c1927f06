"""A whole Holdfast for one measurement: an empty directory, simulated providers, worker processes, all ended by id."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.client import Holdfast
from holdfast.config import Settings, load
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import SimSettings
from holdfast.lab.sampler import RunSampler
from holdfast.lanes import Lanes, connect
from holdfast.model.job import State
from holdfast.store import Store
from holdfast.store.batches import count_unfinished, find_batch
from holdfast.store.fleet import list_workers
from holdfast.store.ledger import read_ledger

HEAD = """
[storage]
database_url = "sqlite:///{directory}/holdfast.db"
directory = "{directory}"
[worker]
concurrency = {concurrency}
lease = "{lease}"
"""
PROVIDER = """
[providers.{name}]
api = "{api}"
base_url = "{url}"
deadline = "{deadline}"
credentials = [{{ name = "main", secret = "env:HOLDFAST_BENCH_KEY" }}]
{limits}
"""
MODEL = """
[models.bench]
routes = [{routes}]
"""
NAMES = (("first", "anthropic", ""), ("second", "openai-chat", "/v1"))
PATIENCE = 300.0  # seconds


@dataclass(slots=True)
class Rig:
    """``sims`` in plan order; ``workers`` are the processes started so far."""

    directory: Path
    config: Path
    settings: Settings
    sims: Sequence[SimProcess]
    store: Store
    holdfast: Holdfast
    lanes: Lanes
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def sim(self) -> SimProcess:
        return self.sims[0]

    def launch(self, processes: int, *prefix: str) -> list[subprocess.Popen[bytes]]:
        """Start workers, and do not wait for them. ``prefix`` goes between Python and ``-m``."""
        started = []
        for _ in range(processes):
            log = (self.directory / f"worker-{len(self.workers)}.log").open("wb")
            command = [sys.executable, *prefix, "-m", "holdfast.worker", "--config", str(self.config)]
            started.append(subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL))
            self.workers.append(started[-1])
            log.close()
        return started

    def start(self, processes: int, *prefix: str) -> None:
        """Start workers and wait until they hold their leases."""
        started = self.launch(processes, *prefix)
        self.until(lambda: all(process.pid in self.leases() for process in started))
        time.sleep(0.3)  # the first fetch connects to Redis

    def leases(self) -> set[int]:
        """Processes that hold a lease."""
        return {worker.pid for worker in self.store.read(list_workers)}

    def submit(self, jobs: int) -> str:
        """Submit prompts as one batch, and return its id."""
        return self.holdfast.submit([f"prompt {number}" for number in range(jobs)], model="bench").inner

    def until(self, true: Callable[[], bool], at_most: float = PATIENCE) -> None:
        end = time.monotonic() + at_most
        while not true():
            if time.monotonic() > end:
                raise SystemExit(f"not within {at_most:.0f} s. The workers said:\n{self.logs()}")
            time.sleep(0.01)

    def until_done(self, batch: str) -> None:
        self.until(lambda: self.store.read(count_unfinished, batch) == 0)

    def counts(self, batch: str) -> dict[State, int]:
        record = self.store.read(find_batch, batch)
        return dict(record.counts) if record else {}

    def lost(self, batch: str, jobs: int) -> int:
        """Jobs that did not end with an answer."""
        return jobs - self.counts(batch).get(State.SUCCEEDED, 0)

    def wrong_answers(self, batch: str) -> int:
        """Results that are not the answer to their own prompt; a missing one counts too."""
        texts = {(answer.text or "") for answer in self.holdfast.batch(batch).results(timeout=60)}
        jobs = sum(self.counts(batch).values())
        return jobs - len(texts & {f"answer to prompt {number}" for number in range(jobs)})

    def broken_lines(self) -> int:
        """Lines of the ledger that do not hold."""
        return sum(not line.holds for line in self.store.read(read_ledger))

    def watch(self, batch: str, interval: float = 0.05) -> RunSampler:
        return RunSampler(self.store, self.lanes, [batch], interval)

    def logs(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.directory.glob("worker-*.log")))

    def stop_workers(self) -> None:
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.workers:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def rig(
    *sims: SimSettings,
    limits: str = "",
    concurrency: int = 500,
    lease: str = "3s",
    deadline: str = "60s",
) -> Iterator[Rig]:
    """Providers and storage, without a worker yet. ``limits`` is the configuration's line for every provider."""
    os.environ.setdefault("HOLDFAST_BENCH_KEY", "sk-bench")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-bench-")))
        running = [stack.enter_context(SimProcess(settings)) for settings in sims]
        config = directory / "holdfast.toml"
        values = {"limits": limits, "concurrency": concurrency, "lease": lease, "deadline": deadline}
        config.write_text(configuration(directory, running, **values))
        settings = load(config)
        store = Store(settings.storage.database_url)
        store.ensure()
        connection = connect(settings.storage.redis_url, settings.storage.directory)
        lanes = Lanes(connection)
        lanes.ping()  # starts the embedded server, which then outlives every worker that is killed
        made = Rig(directory, config, settings, running, store, Holdfast(settings), lanes)
        try:
            yield made
        finally:
            made.stop_workers()
            made.holdfast.close()
            connection.close()
            store.close()


def configuration(
    directory: Path, sims: Sequence[SimProcess], *, limits: str, concurrency: int, lease: str, deadline: str
) -> str:
    parts = [HEAD.format(directory=directory, concurrency=concurrency, lease=lease)]
    routes = []
    for (name, api, path), sim in zip(NAMES, sims, strict=False):
        parts.append(PROVIDER.format(name=name, api=api, url=sim.url + path, limits=limits, deadline=deadline))
        routes.append(f'{{ provider = "{name}", model = "{name}-model" }}')
    return "".join([*parts, MODEL.format(routes=", ".join(routes))])
