"""Kill -9 of a worker with calls in flight, and a new one started at once: how soon are its jobs called again?

The lease is the default one. In every other run the victim is the only worker; in the others it is one of two.
"""

import argparse
import sys
import time

from databases import add_choice, kept_in, named
from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from holdfast.model.ids import public_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import list_jobs
from rig import Rig, rig

IN_FLIGHT = 20
CALL = 3.0  # seconds that a call takes
PROMISED = 30.0  # seconds from the kill to the last job that is called again
GIVEN_UP = 120.0


def held(running: Rig, pid: int) -> set[str]:
    """Jobs that SQL thinks a process has in flight, as the provider knows them."""
    ids = {worker.id for worker in running.store.read(list_workers, live_only=False) if worker.pid == pid}
    jobs = running.store.read(list_jobs, JobFilter(states=frozenset({State.RUNNING})), limit=10_000)
    return {public_id("job", job.id) for job in jobs if job.worker in ids}


def resumed(running: Rig, jobs: set[str], since: float) -> list[float]:
    """Seconds after ``since`` at which each of ``jobs`` was first called again; those that were not are left out."""
    first: dict[str, float] = {}
    for call in running.sim.calls():
        job = str(call["tag"]).split("/")[0]
        if job in jobs and call["started"] > since:
            first.setdefault(job, call["started"] - since)
    return sorted(first.values())


def kill_one(running: Rig, workers: int) -> list[float]:
    """One run: seconds from the kill until each job of the victim was called again, ascending."""
    running.sim.reset()
    running.start(workers)
    batch = running.submit(IN_FLIGHT * workers)
    running.until(lambda: running.sim.counts()["in_flight"] == IN_FLIGHT * workers)
    victim = running.workers[-1]
    victim.kill()
    since = time.time()
    running.launch(1)
    victim.wait()
    jobs = held(running, victim.pid)
    assert jobs, "the victim held no job"
    running.until(lambda: len(resumed(running, jobs, since)) == len(jobs), GIVEN_UP)
    running.until_done(batch)
    running.stop_workers()
    return resumed(running, jobs, since)


def quantile(values: list[float], share: float) -> float:
    """The smallest of the values that at least ``share`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="kills; each takes about 20 s")
    add_choice(parser)
    given = parser.parse_args()
    runs = given.runs
    firsts, lasts = [], []
    sim = SimSettings(latency=(CALL, CALL))
    with kept_in(given.database), rig(sim, concurrency=IN_FLIGHT, lease="15s") as running:
        for run in range(runs):
            times = kill_one(running, 1 + run % 2)
            firsts.append(times[0])
            lasts.append(times[-1])
            print(f"run {run + 1}: first {times[0]:.1f} s, last {times[-1]:.1f} s", file=sys.stderr, flush=True)
        broken = running.broken_lines()
    figures = [
        Figure("kills", runs),
        Figure("kill to the first job called again, p50", quantile(firsts, 0.5), None, "s"),
        Figure("kill to the first job called again, p99", quantile(firsts, 0.99), None, "s"),
        Figure("kill to the last job called again, p50", quantile(lasts, 0.5), None, "s"),
        Figure("kill to the last job called again, p99", quantile(lasts, 0.99), ("≤", PROMISED), "s"),
        Figure("ledger lines broken", broken, ("=", 0)),
    ]
    return show(named("resume after kill -9", given.database), figures)


if __name__ == "__main__":
    sys.exit(main())
