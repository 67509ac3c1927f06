"""Two worker processes beside one: `python bench/processes.py`. Jobs whose answers come at once.

What two processes do on two cores cannot be seen where the provider needs one of them. So both are measured twice:

* on every core, provider and all: what this machine comes to;
* workers kept to one core that they share: two processes do on it what one does, less what they cost each other
  (the database, Redis, locks, idle fetches). Twice that share is what two cores of their own would give; the
  provider's cost is not in it. With three cores or more both processes have their own, and the first figure counts.

CPU is that of the worker processes.
"""

import argparse
import os
import sys
from pathlib import Path

from figures import Figure, median_ratio, medians, show, take_rounds
from holdfast.lab.providers.settings import SimSettings
from holdfast.model.job import Priority, lane_name
from noop import cpu_of
from provider_core import keep_to_last_core
from rig import Rig, rig

JOBS, IN_FLIGHT = 4000, 100
LANE = lane_name("bench", Priority.BATCH)
LIMITS = "limits = { requests_per_minute = 6000000 }"
BAR = ("≥", 1.8)
PLACES = ("on every core", "on one core")
COUNTS = (1, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds = take_rounds(lambda: one_round(given.jobs), given.rounds)
    every, one = (median_ratio(rounds, *names(place)) for place in PLACES)
    enough = (os.cpu_count() or 1) > len(COUNTS)
    figures = [
        Figure("two processes over one, on every core", every, BAR if enough else None),
        Figure("two processes over one, sharing one core, twice", 2 * one, None if enough else BAR),
    ]
    figures += [Figure(name, value, None, unit(name)) for name, value in medians(rounds).items()]
    return show("processes", figures, jobs=given.jobs, cores=os.cpu_count())


def names(place: str) -> tuple[str, str]:
    return f"2 processes, {place}", f"1 process, {place}"


def unit(name: str) -> str:
    return "ms a job" if name.endswith("CPU") else "jobs/s"


def one_round(jobs: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for place in PLACES:
        for processes in COUNTS:
            name = names(place)[processes == 1]
            with rig(SimSettings(latency=(0, 0)), limits=LIMITS, concurrency=IN_FLIGHT) as running:
                keep_to_last_core(running.sim.pid)
                running.start(processes)
                if place == "on one core":
                    keep_to_first_core(running)
                found[name], found[f"{name}: CPU"] = rate(running, jobs)
            sys.stderr.write(f"  {name}: {found[name]:.0f}/s\n")
    return found


def keep_to_first_core(running: Rig) -> None:
    """Keep the workers, and every thread of theirs, on one core."""
    core = {min(os.sched_getaffinity(0))}
    for worker in running.workers:
        for thread in Path(f"/proc/{worker.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), core)


def rate(running: Rig, jobs: int) -> tuple[float, float]:
    """Calls a second between the first and the last at the provider, and milliseconds of the workers' CPU a job.

    All jobs are ready before the first call: submitting is not part of it.
    """
    running.until_done(running.submit(500))  # opens connections, fills caches
    running.sim.reset()
    before = sum(cpu_of(worker.pid) for worker in running.workers)
    running.lanes.set_paused(LANE, True)
    batch = running.submit(jobs)
    running.lanes.set_paused(LANE, False)
    running.until_done(batch)
    seen, spent = running.sim.counts(), sum(cpu_of(worker.pid) for worker in running.workers) - before
    if running.lost(batch, jobs):
        raise SystemExit(f"{running.lost(batch, jobs)} jobs were lost")
    return jobs / (seen["last_at"] - seen["first_at"]), 1000 * spent / jobs


if __name__ == "__main__":
    sys.exit(main())
