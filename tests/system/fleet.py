"""A whole Holdfast for one test: an empty folder, simulated providers, and worker processes, all ended by id."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import redis

from holdfast.client import Holdfast
from holdfast.lab.ledger_audit import KnownLimit, audit
from holdfast.lab.local_pool import LocalPool, local_pool
from holdfast.lab.providers.calls import SeenCall
from holdfast.lab.providers.settings import SimSettings
from holdfast.lanes import connect
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.batches import count_unfinished, find_batch
from holdfast.store.jobs import list_jobs
from holdfast.store.ledger import read_ledger

CONFIG = """
[storage]
database_url = "sqlite:///{directory}/holdfast.db"
directory = "{directory}"
[worker]
concurrency = {concurrency}
lease = "{lease}"
grace = "{grace}"
[providers.first]
api = "anthropic"
base_url = "{urls[0]}"
deadline = "{deadline}"
slow_after = "{slow_after}"
credentials = [{{ name = "main", secret = "env:HOLDFAST_TEST_KEY" }}]
{limits}
[providers.second]
api = "openai-chat"
base_url = "{urls[1]}/v1"
deadline = "{deadline}"
credentials = [{{ name = "main", secret = "env:HOLDFAST_TEST_KEY" }}]
{limits}
[models.one]
routes = [{{ provider = "first", model = "claude-sim" }}]
[models.two]
routes = [{{ provider = "first", model = "claude-sim" }}, {{ provider = "second", model = "gpt-sim" }}]
[models.hedged]
routes = [{{ provider = "first", model = "claude-sim" }}, {{ provider = "second", model = "gpt-sim" }}]
hedge = {{ after = "500ms", at_most = {at_most} }}
"""
WIDE = "limits = { requests_per_minute = 600000 }"
PATIENCE = 240.0  # seconds a test waits for something that comes within a few, unless the machine is very busy


class Fleet(LocalPool):
    """A pool that is tested: two simulated providers, and workers that may be killed and frozen."""

    failure = AssertionError

    @cached_property
    def holdfast(self) -> Holdfast:
        return Holdfast(self.settings)

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        return self.launch(1, **self.environment(**environment))[0]

    def freeze(self, process: subprocess.Popen[bytes]) -> None:
        """Stop a process outside of any transaction: inside of one it would hold up everybody who writes."""
        while True:
            process.send_signal(signal.SIGSTOP)
            if self.can_write():
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(0.01)

    def can_write(self) -> bool:
        """Whether nobody holds a lock of SQL's: a few tries, for others work."""
        url = self.settings.storage.database_url
        for _ in range(20):
            if is_unlocked(url):
                return True
            time.sleep(0.02)
        return False

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **more}

    def submit(self, n: int, model: str = "one", **fields: Any) -> str:
        """``n`` prompts as one batch; its inner id."""
        return self.holdfast.submit([{"prompt": f"prompt {i}", "model": model, **fields} for i in range(n)]).inner

    def done(self, batch: str) -> int:
        counts = self.store.read(find_batch, batch).counts
        return sum(counts.get(state, 0) for state in (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED))

    def succeeded(self, batch: str) -> int:
        return self.store.read(find_batch, batch).counts.get(State.SUCCEEDED, 0)

    def until(self, true: Callable[[], bool], at_most: float = PATIENCE, why: str = "it did not come", **more) -> None:
        LocalPool.until(self, true, at_most, why, **more)

    def until_done(self, batch: str, at_most: float = PATIENCE) -> None:
        self.until(lambda: self.store.read(count_unfinished, batch) == 0, at_most)

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(connect(self.settings.storage.redis_url, self.settings.storage.directory).url)

    def offenders(self) -> dict[str, Any]:
        """Lines of the ledger that do not hold."""
        return {line.name: line for line in self.store.read(read_ledger) if not line.holds}

    def broken(self, batch: str, may_repeat: int = 0, rate: float | None = None) -> list[Any]:
        """Lines of the ledger and of the audit that do not hold, given what the providers saw since their reset.

        ``rate``: requests a second that the first provider allows, and as many at once.
        """
        accepted = [job.id for job in self.jobs(batch)]
        calls = {str(n): [SeenCall(**call) for call in sim.calls()] for n, sim in enumerate(self.sims)}
        allowances = {"0": KnownLimit(rate, rate)} if rate else None
        lines = audit(self.store, accepted, calls, may_repeat=may_repeat, allowances=allowances)
        return [line for line in lines if not line.holds]

    def jobs(self, batch: str) -> list[Any]:
        return self.store.read(list_jobs, JobFilter(batch=batch), limit=10_000)

    def close(self) -> None:
        LocalPool.close(self)
        self.holdfast.close()


def is_unlocked(database_url: str) -> bool:
    """Whether no transaction is open that writes."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), 0.0, isolation_level=None)) as connection:
            try:
                connection.execute("begin immediate")
            except sqlite3.OperationalError:
                return False
            connection.execute("rollback")
            return True
    with psycopg.connect(database_url) as connection:
        held = "select 1 from pg_stat_activity where state = 'idle in transaction' and pid <> pg_backend_pid() limit 1"
        return connection.execute(held).fetchone() is None


@contextmanager
def fleet(
    directory: Path,
    *,
    latency: tuple[float, float] = (0.05, 0.05),
    rate: float | None = None,
    limits: str = WIDE,
    concurrency: int = 50,
    deadline: str = "10s",
    grace: str = "10s",
    lease: str = "3s",
    slow_after: str = "20s",
    at_most: float = 1.0,
    headers: bool = True,
    more: str = "",
) -> Iterator[Fleet]:
    """Providers and storage without a worker yet. ``more``: other tables. Everything ends with the block."""
    os.environ.setdefault("HOLDFAST_TEST_KEY", "sk-test")
    sims = [SimSettings(latency=latency, rate=rate, headers=headers), SimSettings(latency=latency)]
    values = {"limits": limits, "concurrency": concurrency, "deadline": deadline, "grace": grace, "lease": lease}
    values |= {"directory": directory, "slow_after": slow_after, "at_most": at_most}
    with local_pool(
        Fleet, directory, sims, lambda urls: CONFIG.format(urls=urls, **values) + more, is_private=False
    ) as made:
        yield made
