"""How many workers one Redis bears: `python bench/many_workers.py [--workers 1000] [--jobs-per-second 500]`.

Each worker here is a gate with connections of its own and no calls: it fetches, waits as long as a call would take, and
settles. They share this process's one core, so what counts is what Redis spent, not how long it took.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attempts import called
from figures import Figure, show
from holdfast.lanes import Connection, Gate, Lanes, connect
from holdfast.model.ids import new_id
from holdfast.model.job import Need, Offer
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.route import Api, Limits, Plan, Route

LANE = "smart.batch"
LIMITS = Limits(6e7, 6e12, 6e12, concurrency=1_000_000)
PLAN = Plan("smart", (Route("anthropic", "opus", Api.ANTHROPIC, "opus", ("main",), LIMITS),))
REPLY = Reply(text="", finish=Finish.STOP, usage=Usage(input=90, output=50), model="m")
LOOK_EVERY = 0.25  # seconds: how often a worker looks at a lane that is empty
AT_ONCE = 5  # connections opened together


@dataclass
class Fleet:
    """``asked`` are seconds that fetches took, ``done`` jobs that were settled."""

    connection: Connection
    gates: list[Gate] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    done: int = 0

    async def start(self, workers: int) -> None:
        self.gates = [Gate(self.connection) for _ in range(workers)]
        await self.gates[0].begin(fresh=True)
        for first in range(0, workers, AT_ONCE):
            looks = (self.fetch(n, 1) for n in range(first, min(first + AT_ONCE, workers)))
            await asyncio.gather(*looks)
        self.asked.clear()

    async def fetch(self, worker: int, jobs: int) -> list[Any]:
        began = time.perf_counter()
        permits, _ = await self.gates[worker].fetch(LANE, jobs, f"w{worker}", PLAN)
        self.asked.append(time.perf_counter() - began)
        return permits

    async def look(self, worker: int, end: float) -> None:
        """An idle worker."""
        await asyncio.sleep(LOOK_EVERY * worker / len(self.gates))
        while time.monotonic() < end:
            await self.fetch(worker, 10)
            await asyncio.sleep(LOOK_EVERY)

    async def work(self, worker: int, end: float, jobs: int, seconds: float) -> None:
        """A busy one: ``jobs`` at a time, each call taking ``seconds``."""
        await asyncio.sleep(seconds * worker / len(self.gates))
        while time.monotonic() < end:
            permits = await self.fetch(worker, jobs)
            await asyncio.sleep(seconds)
            await self.gates[worker].finish([called(permit, REPLY, seconds=seconds) for permit in permits])
            self.done += len(permits)

    async def close(self) -> None:
        await asyncio.gather(*(gate.close() for gate in self.gates))


@dataclass
class Spent:
    """What Redis did meanwhile: CPU seconds of wall seconds, and its memory in the end."""

    cpu: float
    wall: float
    memory: float


async def spent(connection: Connection, what: Callable[[], Awaitable[Any]]) -> Spent:
    client = connection.sync()
    before, began = cpu_of(client), time.perf_counter()
    await what()
    wall = time.perf_counter() - began
    return Spent(cpu_of(client) - before, wall, client.info("memory")["used_memory"] / 2**20)


def cpu_of(client: Any) -> float:
    info = client.info("cpu")
    return float(info["used_cpu_user"] + info["used_cpu_sys"])


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


async def measure(connection: Connection, workers: int, rate: float, seconds: float) -> list[Figure]:
    fleet = Fleet(connection)
    await fleet.start(workers)
    end = time.monotonic() + seconds
    idle = await spent(connection, lambda: asyncio.gather(*(fleet.look(n, end) for n in range(workers))))
    looks = len(fleet.asked)
    fleet.asked.clear()
    jobs = int(rate * seconds * 2)
    Lanes(connection).offer([Offer(new_id(), LANE, Need(100, 100)) for _ in range(jobs)], window=jobs)
    each = max(1, round(rate * 2 / workers))
    call = workers * each / rate
    end = time.monotonic() + seconds
    busy = await spent(connection, lambda: asyncio.gather(*(fleet.work(n, end, each, call) for n in range(workers))))
    await fleet.close()
    return [
        Figure("idle: looks a second", looks / idle.wall),
        Figure("idle: Redis CPU", 100 * idle.cpu / idle.wall, None, "% of a core"),
        Figure("idle: Redis CPU a look", 1e6 * idle.cpu / looks, None, "us"),
        Figure("busy: jobs a second", fleet.done / busy.wall),
        Figure("busy: Redis CPU", 100 * busy.cpu / busy.wall, ("≤", 50), "% of a core"),
        Figure("busy: Redis CPU a job", 1e6 * busy.cpu / max(1, fleet.done), None, "us"),
        Figure("busy: a fetch takes, p99", 1000 * percentile(fleet.asked, 0.99), None, "ms"),
        Figure("Redis memory", busy.memory, None, "MB"),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--workers", type=int, default=1000)
    arguments.add_argument("--jobs-per-second", type=float, default=500)
    arguments.add_argument("--seconds", type=float, default=10)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        connection = connect("embedded", Path(directory))
        figures = asyncio.run(measure(connection, chosen.workers, chosen.jobs_per_second, chosen.seconds))
        connection.close()
    sys.exit(show("many workers", figures, workers=chosen.workers))


if __name__ == "__main__":
    main()
