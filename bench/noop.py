"""What the pool costs: CPU of a worker process for each job, less that of a bare SDK call. Answers come at once.

With --profile the worker runs once more under cProfile, and the functions in which its main thread spent most are
listed (the profile itself slows Python code down: read it for shares, not for milliseconds).
"""

import argparse
import os
import pstats
import signal
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson

from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from rig import Rig, rig

JOBS, IN_FLIGHT = 5000, 100
LIMITS = "limits = { requests_per_minute = 6000000 }"
LOOP = Path(__file__).with_name("bare_loop.py")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pool_cost(running: Rig, jobs: int) -> float:
    """Milliseconds of CPU of the worker process for each job."""
    worker = running.workers[-1].pid
    before = cpu_of(worker)
    batch = running.submit(jobs)
    running.until_done(batch)
    if running.lost(batch, jobs):
        raise SystemExit(f"{running.lost(batch, jobs)} jobs were lost")
    return (cpu_of(worker) - before) / jobs * 1000


def loop_cost(running: Rig, jobs: int) -> float:
    command = [sys.executable, LOOP, running.sim.url, str(jobs), str(IN_FLIGHT)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return float(orjson.loads(said)["cpu"]) / jobs * 1000


def profile(jobs: int) -> None:
    with rig(SimSettings(latency=(0, 0)), limits=LIMITS, concurrency=IN_FLIGHT) as running:
        path = running.directory / "worker.prof"
        running.start(1, "-m", "cProfile", "-o", str(path))
        pool_cost(running, jobs)
        running.workers[-1].send_signal(signal.SIGTERM)
        running.workers[-1].wait(60)
        stats = pstats.Stats(str(path), stream=sys.stderr)
        by_owner(stats)
        stats.strip_dirs().sort_stats("tottime").print_stats(20)


def by_owner(stats: pstats.Stats) -> None:
    """Print whose code the main thread's time went to; waiting in epoll is left out."""
    owners: Counter[str] = Counter()
    for (path, _, name), (_, _, seconds, _, _) in stats.stats.items():
        if "poll" not in name:
            owners[owner(path)] += seconds
    whole = owners.total()
    for who, seconds in owners.most_common(16):
        sys.stderr.write(f"{seconds / whole:6.1%}  {who}\n")


def owner(path: str) -> str:
    """The part of Holdfast, or the package, that a file belongs to."""
    parts = Path(path).parts
    for root, depth in (("holdfast", 2), ("site-packages", 1)):
        if root in parts:
            start = len(parts) - 1 - parts[::-1].index(root)
            return ".".join(parts[start : start + depth] if root == "holdfast" else parts[start + 1 : start + 2])
    return "built-in functions" if path == "~" else "Python's library"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with rig(SimSettings(latency=(0, 0)), limits=LIMITS, concurrency=IN_FLIGHT) as running:
        running.start(1)
        pool_cost(running, 500)  # warms up connections and caches
        rounds = [(loop_cost(running, given.jobs), pool_cost(running, given.jobs)) for _ in range(given.rounds)]
    if given.profile:
        profile(given.jobs)
    loop, pool = (statistics.median(costs) for costs in zip(*rounds, strict=True))
    figures = [
        Figure("overhead of the pool over a bare SDK call", pool - loop, ("<", 0.5), "ms CPU a job"),
        Figure("pool", pool, unit="ms CPU a job"),
        Figure("bare SDK call", loop, unit="ms CPU a call"),
    ]
    return show(f"no-op cost, {IN_FLIGHT} in flight", figures)


if __name__ == "__main__":
    sys.exit(main())
