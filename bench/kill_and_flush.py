"""FLUSHALL in the middle of 1,000 jobs, and kill -9 of one of two workers: nothing lost, how much repeated?"""

import argparse
import sys

import redis

from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from holdfast.lanes import connect
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import list_jobs
from rig import Rig, rig

JOBS, CONCURRENCY = 1000, 50
LIMITS = "limits = { requests_per_minute = 600000 }"


def flush(running: Rig) -> int:
    """Empty Redis. No call may be repeated for that."""
    storage = running.settings.storage
    with redis.Redis.from_url(connect(storage.redis_url, storage.directory).url) as client:
        client.flushall()
    return 0


def kill(running: Rig) -> int:
    """Kill one worker. Returns how many calls it had in flight, as SQL knows them."""
    victim = running.workers[0]
    mine = next(worker.id for worker in running.store.read(list_workers) if worker.pid == victim.pid)
    victim.kill()
    victim.wait()
    where = running.store.read(list_jobs, JobFilter(states=frozenset({State.RUNNING})), limit=JOBS)
    return sum(job.worker == mine for job in where)


def measure(running: Rig, harm: str) -> list[Figure]:
    running.start(2)
    batch = running.submit(JOBS)
    running.until(lambda: running.counts(batch).get(State.SUCCEEDED, 0) > JOBS // 3)
    in_flight = {"flush": flush, "kill": kill}[harm](running)
    running.until_done(batch)
    seen = running.sim.counts()
    return [
        Figure("jobs lost", running.lost(batch, JOBS), ("=", 0)),
        Figure("answers that are missing or another job's", running.wrong_answers(batch), ("=", 0)),
        Figure("calls in flight in the killed process", in_flight),
        Figure("calls repeated", seen["calls"] - seen["jobs"], ("≤", in_flight)),
        Figure("calls after a completed one", seen["calls_after_completed"], ("≤", in_flight)),
        Figure("tags seen twice", seen["repeated_tags"], ("=", 0)),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
        Figure("makespan", seen["last_at"] - seen["first_at"], unit="s"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("harm", choices=("flush", "kill", "both"), nargs="?", default="both")
    status = 0
    chosen = parser.parse_args().harm
    for harm in ("flush", "kill") if chosen == "both" else (chosen,):
        with rig(SimSettings(latency=(0.2, 0.6)), limits=LIMITS, concurrency=CONCURRENCY) as running:
            figures = measure(running, harm)
        title = {"flush": "FLUSHALL in the middle of 1,000 jobs", "kill": "kill -9 of one of two workers"}[harm]
        status |= show(title, figures)
    return status


if __name__ == "__main__":
    sys.exit(main())
