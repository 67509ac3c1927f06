"""Four worker processes, 25 jobs each ready when a cool-off ends: how many calls try the route?

The provider fails slowly (1 s), so that a second probe of the same cool-off would be seen beside the first.
"""

import argparse
import sys
import time

from figures import Figure, show
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from rig import Rig, rig

SETTLE = 1.5  # seconds for calls that were in flight when the breaker opened
WATCHED = 20.0  # seconds of outage in which probes are counted
LIMITS = "limits = { requests_per_minute = 600000 }"


def measure(running: Rig, processes: int, jobs: int) -> list[Figure]:
    running.sim.break_(InjectedFault(mode="e503"))
    running.start(processes)
    batch = running.submit(processes * jobs)
    with running.watch(batch, 0.02) as watch:
        running.until(lambda: watch.state("first/first-model") == "open")
        time.sleep(SETTLE)
        running.until(lambda: running.sim.counts()["in_flight"] == 0)
        running.sim.reset()
        running.sim.break_(InjectedFault(mode="e503", delay=1.0))
        time.sleep(WATCHED)
        seen = running.sim.counts()
        half_open = sum(
            move.state == "half_open" for move in watch.moves if move.at + watch.began > seen["first_at"] - 1
        )
        running.sim.heal()
        running.until_done(batch)
    return [
        Figure("most probes at once", seen["max_in_flight"], ("=", 1)),
        Figure("probes", seen["calls"], unit=f"in {WATCHED:g} s"),
        Figure("cool-offs that ended", half_open),
        Figure("jobs lost", running.lost(batch, processes * jobs), ("=", 0)),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=25, help="ready for each process")
    given = parser.parse_args()
    with rig(SimSettings(latency=(0.2, 0.2)), limits=LIMITS, concurrency=given.jobs) as running:
        figures = measure(running, given.processes, given.jobs)
    return show(f"one probe, {given.processes} processes of {given.jobs} slots", figures)


if __name__ == "__main__":
    sys.exit(main())
