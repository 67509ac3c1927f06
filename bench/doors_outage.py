"""A total outage (503 everywhere) while clients submit through every door, and clients that give up and repeat.

python bench/doors_outage.py            60 s of outage at 50 submissions a second
python bench/doors_outage.py --storm    100 calls whose clients give up five times before the first answer
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Collection
from itertools import cycle

from api_server import served
from doors import Doors
from figures import Figure, show
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from holdfast.model.job import LIVE, State
from holdfast.model.records import JobFilter
from holdfast.store.jobs import count_jobs
from rig import Rig, rig

RATE, STORM, SLOW = 50.0, 100, 5.0  # submissions a second; calls at once; seconds of an answer in a storm
CONFIGURED = "limits = { requests_per_minute = 18000 }"


async def submit_all(doors: Doors, seconds: float, rate: float) -> int:
    """Submit for so long, in turn through each door, and wait for every answer. Returns how many were submitted."""
    began, calls, names = time.monotonic(), list[asyncio.Task[None]](), cycle(doors.all)
    while (late := time.monotonic() - began) < seconds:
        while len(calls) < late * rate:
            prompt = f"prompt {len(calls)}"
            calls.append(asyncio.create_task(doors.call(next(names), prompt)))
        await asyncio.sleep(0.5 / rate)
    await asyncio.gather(*calls)
    return len(calls)


async def outage(running: Rig, url: str, seconds: float, rate: float) -> list[Figure]:
    doors = Doors(url)
    for sim in running.sims:
        sim.break_(InjectedFault(mode="e503", seconds=seconds))
    began = time.monotonic()
    submitted = await submit_all(doors, seconds, rate)
    waited = time.monotonic() - began - seconds
    accepted = submitted - doors.errors.total()  # lines of batches become jobs beside the calls
    await asyncio.to_thread(running.until, lambda: count(running) >= accepted and count(running, LIVE) == 0)
    await doors.close()
    return [
        *common(running, doors),
        Figure("submissions", submitted),
        Figure("jobs beyond one for each", count(running) - submitted, ("=", 0)),
        Figure("calls that were waited for", doors.answered),
        Figure("last answer after the outage", waited, unit="s"),
    ]


async def storm(running: Rig, url: str, calls: int) -> list[Figure]:
    doors = Doors(url, patience=SLOW / 3, retries=10)
    waiting = ("chat", "responses", "messages")
    await asyncio.gather(*(doors.call(waiting[n % 3], f"prompt {n}") for n in range(calls)))
    await doors.close()
    return [*common(running, doors), Figure("jobs", count(running), ("=", calls)), Figure("calls", calls)]


def common(running: Rig, doors: Doors) -> list[Figure]:
    for error, times in doors.errors.items():
        sys.stderr.write(f"{times} x {error}\n")
    return [
        Figure("client errors", doors.errors.total(), ("=", 0)),
        Figure("answers to another prompt", doors.wrong, ("=", 0)),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
    ]


def count(running: Rig, states: Collection[State] | None = None) -> int:
    """Jobs that there are, in one of ``states`` or in any."""
    return running.store.read(count_jobs, JobFilter(states=frozenset(states) if states else None))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storm", action="store_true", help="calls that are given up and repeated, without an outage")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=RATE, help="submissions a second")
    given = parser.parse_args()
    latency = SLOW if given.storm else 0.2
    sim = SimSettings(rate=300.0, burst=300.0, latency=(latency, latency))
    with rig(sim, sim, limits=CONFIGURED) as running, served(running) as api:
        running.start(1)
        if given.storm:
            title, figures = "calls that are given up and repeated", asyncio.run(storm(running, api.url, STORM))
        else:
            figures = asyncio.run(outage(running, api.url, given.seconds, given.rate))
            title = f"outage of {given.seconds:g} s, {given.rate:g} submissions a second through every door"
    return show(title, figures)


if __name__ == "__main__":
    raise SystemExit(main())
