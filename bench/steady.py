"""Steady work against a provider's own limit: is every unit of it used, without running into it?

1,000 jobs of 200 ms against 50 requests a second with a burst of 50; a 429 says Retry-After 1.
"""

import argparse
import sys
import time

from figures import Figure, ideal_makespan, show
from holdfast.lab.providers.settings import SimSettings
from rig import Rig, rig

JOBS, RATE, BURST, LATENCY = 1000, 50.0, 50.0, 0.2
LIMITS = {"configured": "limits = { requests_per_minute = 3000 }", "headers": "", "unknown": ""}


def measure(running: Rig, jobs: int) -> tuple[list[Figure], str]:
    submitted = time.time()
    batch = running.submit(jobs)
    running.until_done(batch)
    seconds = time.time() - submitted
    seen = running.sim.counts()
    ideal = ideal_makespan(jobs, RATE, BURST, LATENCY)
    span = seen["last_at"] - seen["first_at"]
    figures = [
        Figure("jobs lost", running.lost(batch, jobs), ("=", 0)),
        Figure("answers that are missing or another job's", running.wrong_answers(batch), ("=", 0)),
        Figure("share of the allowed rate used", ideal / span, ("≥", 0.97)),
        Figure("the same, from submit to the last result", ideal / seconds),
        Figure("429s", seen["by_status"].get("429", 0), ("≤", 5)),
        Figure("calls", seen["calls"]),
        Figure("calls repeated after success", seen["calls_after_completed"], ("=", 0)),
        Figure("most calls in any second", seen["max_per_second"], unit=f"of {BURST + RATE:g}"),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
        Figure("makespan", span, unit=f"s of {ideal:.1f}"),
    ]
    return figures, batch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--limit", choices=LIMITS, default="configured", help="what the configuration knows of it")
    parser.add_argument("--jobs", type=int, default=JOBS)
    given = parser.parse_args()
    sim = SimSettings(rate=RATE, burst=BURST, latency=(LATENCY, LATENCY), headers=given.limit == "headers")
    with rig(sim, limits=LIMITS[given.limit]) as running:
        running.start(given.processes)
        figures, _ = measure(running, given.jobs)
    title = f"steady, {given.processes} process(es), limit {given.limit}"
    return show(title, figures, processes=given.processes, limit=given.limit)


if __name__ == "__main__":
    sys.exit(main())
