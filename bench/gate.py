"""What the gate costs: `python bench/gate.py`. Fetch and settle in groups on the embedded server, one process.

Aim: at most 0.1 ms of client CPU a job in groups of 50, whatever the backlog.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attempts import called
from figures import Figure, show
from holdfast.lanes import Connection, Gate, Lanes, connect
from holdfast.model.ids import new_id
from holdfast.model.job import Need, Offer
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.route import Api, Limits, Plan, Route

LANE = "smart.batch"
JOBS = 20_000
GROUPS = (1, 10, 50, 200)
BACKLOGS = (100, 10_000)
LIMITS = Limits(6e7, 6e12, 6e12, concurrency=100_000)
PLAN = Plan(
    "smart",
    (
        Route("anthropic", "opus", Api.ANTHROPIC, "opus", ("main", "spare"), LIMITS),
        Route("openai", "gpt", Api.OPENAI_CHAT, "gpt", ("main",), LIMITS),
    ),
)
REPLY = Reply(text="", finish=Finish.STOP, usage=Usage(input=90, output=50), model="m")


@dataclass
class Cost:
    """Seconds on the wall and of this process's CPU."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def offers(count: int) -> list[Offer]:
    return [Offer(new_id(), LANE, Need(100, 100)) for _ in range(count)]


async def serve(connection: Connection, backlog: int, group: int, jobs: int) -> dict[str, Cost]:
    """Run ``jobs`` through the lane with ``backlog`` more waiting behind them."""
    costs = {"offer": Cost(), "fetch": Cost(), "settle": Cost()}
    lanes, gate = Lanes(connection), Gate(connection)
    await gate.begin(fresh=True)
    with costs["offer"].counted():
        lanes.offer(offers(jobs), window=jobs)
    lanes.offer(offers(backlog), window=jobs + backlog)
    left = jobs
    while left > 0:
        with costs["fetch"].counted():
            permits, _ = await gate.fetch(LANE, min(group, left), "w1", PLAN)
        ended = [called(permit, REPLY, seconds=0.1) for permit in permits]
        with costs["settle"].counted():
            await gate.finish(ended)
        left -= len(permits)
    await gate.close()
    return costs


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--jobs", type=int, default=JOBS)
    given = arguments.parse_args()
    figures = []
    namespaces = (f"bench{i}" for i in itertools.count())
    with tempfile.TemporaryDirectory() as directory:
        server = connect("embedded", Path(directory))
        for backlog, group in itertools.product(BACKLOGS, GROUPS):
            jobs = given.jobs if group > 1 else given.jobs // 10
            connection = connect(server.url, Path(directory), namespace=next(namespaces))
            costs = asyncio.run(serve(connection, backlog, group, jobs))
            connection.close()
            cpu = sum(costs[part].cpu for part in ("fetch", "settle")) / jobs * 1000
            rate = jobs / sum(costs[part].wall for part in ("fetch", "settle"))
            name = f"groups of {group}, {backlog:,} waiting behind"
            figures += [
                Figure(f"{name}: CPU a job", cpu, ("≤", 0.1) if group >= 50 else None, "ms"),
                Figure(f"{name}: jobs a second", rate, ("≥", 1_000) if group >= 50 else None),
            ]
        figures.append(Figure("offer: CPU a job", costs["offer"].cpu / jobs * 1000, None, "ms"))
        server.close()
    raise SystemExit(show("gate", figures, jobs=given.jobs))


if __name__ == "__main__":
    main()
