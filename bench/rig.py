"""A whole Holdfast for one measurement: an empty directory, simulated providers, worker processes, all ended by id."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from holdfast.client import Holdfast
from holdfast.lab.local_pool import LocalPool, local_pool
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import SimSettings
from holdfast.lab.sampler import RunSampler
from holdfast.model.job import State
from holdfast.store.batches import count_unfinished, find_batch
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
DUTIES_BEGUN = 4.0  # seconds from the start of a worker


class Rig(LocalPool):
    """A pool that is measured: it may be told what to do, and asked what became of its jobs."""

    @cached_property
    def holdfast(self) -> Holdfast:
        return Holdfast(self.settings)

    @property
    def sim(self) -> SimProcess:
        return self.sims[0]

    def start(self, processes: int, *prefix: str) -> None:
        """Start workers, and wait until they have begun their duties too: those imports are no part of a job's cost."""
        LocalPool.start(self, processes, *prefix)
        time.sleep(DUTIES_BEGUN)

    def submit(self, jobs: int) -> str:
        """Submit prompts as one batch, and return its id."""
        return self.holdfast.submit([f"prompt {number}" for number in range(jobs)], model="bench").inner

    def until(self, true: Callable[[], bool], at_most: float = PATIENCE, why: str = "it did not come", **more) -> None:
        LocalPool.until(self, true, at_most, why, **more)

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

    def close(self) -> None:
        LocalPool.close(self)
        self.holdfast.close()


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
    values = {"limits": limits, "concurrency": concurrency, "lease": lease, "deadline": deadline}
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        directory = Path(name)
        with local_pool(
            Rig, directory, sims, lambda urls: configuration(directory, urls, **values), is_private=False
        ) as pool:
            yield pool


def configuration(
    directory: Path, urls: Sequence[str], *, limits: str, concurrency: int, lease: str, deadline: str
) -> str:
    parts = [HEAD.format(directory=directory, concurrency=concurrency, lease=lease)]
    routes = []
    for (name, api, path), url in zip(NAMES, urls, strict=False):
        parts.append(PROVIDER.format(name=name, api=api, url=url + path, limits=limits, deadline=deadline))
        routes.append(f'{{ provider = "{name}", model = "{name}-model" }}')
    return "".join([*parts, MODEL.format(routes=", ".join(routes))])
