"""The dashboard with a million jobs behind it: `python bench/dashboard.py [--database postgres] [--minutes 60]`.

How soon its pages answer, what open pages cost the API process, whether that grows, and what the command line needs.
Memory is counted in two parts: while the caches of its database connections fill, which have a bound, and after that,
where an hour of open pages has to leave it as it is.
A worker drains the backlog meanwhile, so that every look finds something new. First paint is Chromium's own, where
Playwright is installed; else it is the time until the page is there.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx2
import orjson

from api_server import ApiServer, cpu, get, resident, served, timed
from chromium import first_paint
from databases import add_choice, kept_in, named
from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from holdfast.model.ids import public_id
from holdfast.model.records import JobFilter
from holdfast.store.batches import list_batches
from holdfast.store.jobs import list_jobs
from many_jobs import analyze, fill
from rig import Rig, rig

LIMITS = "limits = { requests_per_minute = 600 }"
ROUNDS = 5  # of each page; the slowest counts
SETTLE = 10.0  # seconds that the process has after its start, and pages after theirs
IDLE = 15.0  # seconds over which the process is watched without a page
# Seconds in which what has a bound fills: SQLite's pages of each connection (``store.engine``: four that read, one that
# writes) and the threads' own stores of freed memory. What grows after them would grow for ever.
FILLING = 120.0
SECOND = 1000  # milliseconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add_choice(parser)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=2.0)
    given = parser.parse_args()
    with kept_in(given.database), rig(SimSettings(), SimSettings(), limits=LIMITS) as running:
        filling = timed(lambda: fill(running.store, given.jobs, "bench"))
        analyze(running.store)
        print(f"  filled in {filling:.0f} s", file=sys.stderr)
        running.start(1)
        with served(running) as server:
            figures = [
                *paint(server),
                *pages(running, server.url),
                *commands(running),
                *asyncio.run(open_pages(server, given.pages, given.minutes * 60)),
            ]
    return show(named(f"dashboard, {given.jobs:,} jobs", given.database), figures, jobs=given.jobs)


def paint(server: ApiServer) -> list[Figure]:
    """The first page that this process is asked for, and one when it has looked before."""
    cold, warm = (first_paint(f"{server.url}/ui") for _ in range(2))
    return [
        Figure("first paint, the first page of a process", cold * SECOND, ("≤", SECOND), "ms"),
        Figure("first paint", warm * SECOND, ("≤", SECOND), "ms"),
    ]


def pages(running: Rig, url: str) -> list[Figure]:
    """Every page and every search, the slowest of some."""
    job = running.store.read(list_jobs, JobFilter(), 1)[0]
    batch = public_id("batch", running.store.read(list_batches, limit=1)[0].id)
    asked = {
        "fleet": "/ui",
        "jobs": "/ui/jobs",
        "jobs by custom_id": f"/ui/jobs?q={job.custom_id}",
        "jobs by a custom_id that none has": "/ui/jobs?q=nothing-of-the-kind",
        "jobs by tenant": "/ui/jobs?tenant=tenant-3",
        "jobs by state": "/ui/jobs?state=delayed",
        "jobs by state, of a tenant": "/ui/jobs?state=dead&tenant=tenant-3",
        "a job": f"/ui/jobs/{public_id('job', job.id)}",
        "batches": "/ui/batches",
        "a batch": f"/ui/batches/{batch}",
        "dead letters": "/ui/dead-letters",
    }
    return [slowest(f"page of {name}", lambda path=path: get(url + path)) for name, path in asked.items()]


def slowest(name: str, what: Callable[[], object]) -> Figure:
    return Figure(name, max(timed(what) for _ in range(ROUNDS)) * SECOND, ("≤", SECOND), "ms")


def commands(running: Rig) -> list[Figure]:
    """The command line beside it, on the storage itself."""
    asked = (("status",), ("top",), ("job", "list"), ("job", "list", "--state", "dead"), ("dlq", "groups"))
    return [
        Figure(f"holdfast {' '.join(words)}", timed(lambda words=words: run(running, words)), None, "s")
        for words in asked
    ]


def run(running: Rig, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "holdfast.cli", *words, "--json"]
    environment = {**os.environ, "HOLDFAST_CONFIG": str(running.config)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


async def open_pages(server: ApiServer, count: int, seconds: float) -> list[Figure]:
    """What the process costs with no page open, and with so many; and how its memory grows meanwhile."""
    await asyncio.sleep(SETTLE)
    idle = await share(server, IDLE)
    late: list[float] = []
    async with httpx2.AsyncClient(limits=httpx2.Limits(max_connections=count)) as client:
        tasks = [asyncio.create_task(page(client, server.url, number / count, late)) for number in range(count)]
        await asyncio.sleep(SETTLE)
        first = resident(server.pid)
        await asyncio.sleep(FILLING)
        before = resident(server.pid)
        busy = await share(server, seconds)
        grown = resident(server.pid) - before
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [each for each in ended if not isinstance(each, asyncio.CancelledError)]
    return [
        Figure("no page open", idle * 100, None, "% of a core"),
        Figure(f"{count} pages open", busy * 100, ("≤", 10), "% of a core"),
        Figure("an answer to an open page, the slowest", max(late) * SECOND, ("≤", SECOND), "ms"),
        Figure("open pages that broke", len(broken), ("=", 0)),
        Figure("memory", before / 2**20, None, "MB"),
        Figure(f"memory grown in the first {FILLING / 60:g} min", (before - first) / 2**20, ("≤", 16), "MB"),
        Figure(f"memory grown in {seconds / 60:g} min after them", grown / 2**20, ("≤", 4), "MB"),
    ]


async def share(server: ApiServer, seconds: float) -> float:
    """The share of a core that a process uses over so long."""
    used, began = cpu(server.pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu(server.pid) - used) / (time.monotonic() - began)


async def page(client: httpx2.AsyncClient, url: str, delay: float, late: list[float]) -> None:
    """What the script of an open page does: it asks every second for what changed."""
    look: Any = -1
    await asyncio.sleep(delay)
    while True:
        began = time.monotonic()
        answer = await client.get(f"{url}/ui/live?since={look}")
        answer.raise_for_status()
        look = orjson.loads(answer.content)["look"]
        late.append(time.monotonic() - began)
        await asyncio.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
