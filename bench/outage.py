"""The steady work with a total outage (503) of 15 s from the fifth second on: with one provider, or with a second."""

import argparse
import sys
import time

from figures import Figure, ideal_makespan, show
from holdfast.lab.providers.calls import SERVED
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from holdfast.lab.sampler import RunSampler
from rig import Rig, rig

JOBS, RATE, BURST, LATENCY = 1000, 50.0, 50.0, 0.2
BEGIN, LENGTH = 5.0, 15.0
CONFIGURED = "limits = { requests_per_minute = 3000 }"


def run(running: Rig, jobs: int) -> tuple[str, RunSampler]:
    """Run the whole; returns the batch and what was watched. The outage is timed from the first call."""
    batch = running.submit(jobs)
    with running.watch(batch, 0.02) as watch:
        running.until(lambda: running.sim.counts()["calls"] > 0)
        gone = time.time() - running.sim.counts()["first_at"]
        running.sim.break_(InjectedFault(mode="e503", after=BEGIN - gone, seconds=LENGTH))
        running.until_done(batch)
    return batch, watch


def alone(running: Rig, jobs: int) -> list[Figure]:
    began = time.time()
    batch, _ = run(running, jobs)
    seconds = time.time() - began
    seen = running.sim.counts()
    ideal = ideal_makespan(jobs, RATE, BURST, LATENCY, (BEGIN, LENGTH))
    span = seen["last_at"] - seen["first_at"]
    return [
        Figure("jobs lost", running.lost(batch, jobs), ("=", 0)),
        Figure("makespan over the ideal", span / ideal, ("≤", 1.10)),
        Figure("the same, from submit to the last result", seconds / ideal),
        Figure("failed calls", seen["calls"] - seen["by_status"].get(SERVED, 0), ("≤", 30)),
        Figure("429s among them", seen["by_status"].get("429", 0)),
        Figure("calls", seen["calls"]),
        Figure("calls repeated after success", seen["calls_after_completed"], ("=", 0)),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
        Figure("makespan", span, unit=f"s of {ideal:.1f}"),
    ]


def with_second(running: Rig, jobs: int) -> list[Figure]:
    batch, watch = run(running, jobs)
    opened = next((move.at for move in watch.moves if move.state == "open"), float("inf")) + watch.began
    after = [call["ended"] for call in running.sims[1].calls() if call["status"] == SERVED and call["ended"] >= opened]
    first, second = running.sims[0].counts(), running.sims[1].counts()
    failed = first["calls"] - first["by_status"].get(SERVED, 0)
    return [
        Figure("jobs lost", running.lost(batch, jobs), ("=", 0)),
        Figure("first success elsewhere after the breaker opened", min(after, default=opened) - opened, ("≤", 1), "s"),
        Figure("breaker opened after the outage began", opened - first["first_at"] - BEGIN, unit="s"),
        Figure("failed calls", failed),
        Figure("429s among them", first["by_status"].get("429", 0)),
        Figure("calls of the first provider", first["calls"]),
        Figure("calls of the second provider", second["calls"]),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
        Figure("makespan", max(first["last_at"], second["last_at"]) - first["first_at"], unit="s"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--second", action="store_true", help="a second provider that takes as much")
    parser.add_argument("--jobs", type=int, default=JOBS)
    given = parser.parse_args()
    sim = SimSettings(rate=RATE, burst=BURST, latency=(LATENCY, LATENCY))
    with rig(*[sim] * (2 if given.second else 1), limits=CONFIGURED) as running:
        running.start(given.processes)
        figures = with_second(running, given.jobs) if given.second else alone(running, given.jobs)
    providers = "two providers" if given.second else "one provider"
    return show(f"outage of 15 s, {providers}, {given.processes} process(es)", figures, processes=given.processes)


if __name__ == "__main__":
    sys.exit(main())
