"""One million waiting jobs, beside one thousand in the same run: `python bench/million.py [--database sqlite]`.

Fills by the real submit, then measures what must not grow: a job's way through gate and SQL, the p99 of a submit,
status, lanes and metrics of a real server, the memory of Redis and of a worker that drains a part of the backlog.
Lists, counts, dead letters and the ledger are shown too. Some five minutes and 3 GB of disk for each database.
"""

import argparse
import asyncio
import gc
import os
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from api_server import get, resident, served, timed
from attempts import called, ended
from databases import surrounded_by
from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from holdfast.lanes import Connection, Gate, connect
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, DeathReason, Permit, State
from holdfast.model.records import JobFilter
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.step import Bury, Complete
from holdfast.store.backlog import lane_heads, list_lanes
from holdfast.store.batches import find_batch, list_batches
from holdfast.store.claim import claim
from holdfast.store.dead_letters import dead_groups, drop
from holdfast.store.finish import finish
from holdfast.store.fleet import register_worker, stop_worker
from holdfast.store.jobs import list_jobs
from holdfast.store.ledger import read_ledger
from holdfast.store.requeue import called_within
from holdfast.store.secrets import message_key
from holdfast.worker.context import WorkerContext
from holdfast.worker.early_imports import COLLECT
from holdfast.worker.lane_schedule import LaneSchedule
from holdfast.worker.provider_pool import ProviderPool
from holdfast.worker.window_refiller import WindowRefiller
from rig import Rig, rig
from servers import DURABLE, postgres

LIMITS = "limits = { requests_per_minute = 60000000 }"
LANE, FEW = "bench.batch", 1_000
ROUNDS = 10
GROUP, GROUPS = 50, 10  # jobs of one fetch; fetches a round
SUBMITS, LOOKS = 100, 5  # a round
CHUNK = 10_000  # jobs of one batch while filling
IN_FLIGHT = 200  # calls of the draining worker
DRAINED, DEAD = 20_000, 100_000
QUICK = 200  # milliseconds in which status has to answer
REPLY = Reply(text="An answer.", finish=Finish.STOP, usage=Usage(input=12, output=3), model="m")
SHED = DeathReason(FaultKind.INVALID_REQUEST, "no such parameter", 400, "bad_parameter")
PAGES = ("/api/v1/status", "/api/v1/lanes", "/metrics")


@dataclass(slots=True)
class Side:
    """A whole Holdfast with so many waiting jobs, and what was measured on it. Seconds, bytes, jobs a second."""

    rig: Rig
    api: str  # its server
    environment: dict[str, str]
    parts: dict[str, float] = field(default_factory=dict)  # seconds, summed
    moved: int = 0  # jobs that went all the way
    submits: list[float] = field(default_factory=list)
    pages: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in PAGES})
    redis: float = 0.0
    rate: float = 0.0
    resident: float = 0.0  # of a worker that has drained
    slope: float = 0.0  # bytes a job, while it drained

    @property
    def fetch(self) -> float:
        """A job's share of fetch, refill, claim, settle and acknowledge."""
        return sum(self.parts.values()) / self.moved


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--dead", type=int, default=DEAD)
    parser.add_argument("--drained", type=int, default=DRAINED)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))  # and leave nothing behind
    status = 0
    for database in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        with opened(database) as few, opened(database) as many:
            figures = measure(few, many, given.jobs, given.drained, given.dead)
        status |= show(f"{given.jobs:,} waiting, {database}", figures, jobs=given.jobs)
    return status


@contextmanager
def opened(database: str) -> Iterator[Side]:
    """A side on a SQLite file, or on a Postgres of its own that syncs every commit."""
    with ExitStack() as stack:
        environment = {}
        if database == "postgres":
            options = ("-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB", *DURABLE)
            environment["HOLDFAST_DATABASE_URL"] = stack.enter_context(postgres(*options))
        with surrounded_by(environment):
            running = stack.enter_context(rig(SimSettings(latency=(0.1, 0.1)), limits=LIMITS, concurrency=IN_FLIGHT))
            url = stack.enter_context(served(running)).url
        yield Side(running, url, environment)


def measure(few: Side, many: Side, jobs: int, drained: int, dead: int) -> list[Figure]:
    """Both sides take turns, so that whatever else the machine does meets both."""
    fill(few.rig, FEW)
    filling = fill(many.rig, jobs)
    for _ in range(ROUNDS):
        for side in (few, many):
            one_round(side)
    for side, keep in ((few, FEW), (many, 0)):
        with surrounded_by(side.environment):
            drain(side, drained, keep)
    shown = lists(many.rig, many.api, dead)
    return [*compared(few, many, jobs), *filling, *shown]


def compared(few: Side, many: Side, jobs: int) -> list[Figure]:
    many_, few_ = f"{jobs:,} waiting", f"{FEW:,} waiting"
    p99 = percentile(few.submits), percentile(many.submits)
    figures = [
        Figure(f"fetch to settle, {many_}", many.fetch * 1000, None, "ms a job"),
        Figure(f"fetch to settle, {few_}", few.fetch * 1000, None, "ms a job"),
        Figure("fetch to settle, many over few", many.fetch / few.fetch, ("≤", 2)),
        Figure(f"submit p99, {many_}", p99[1] * 1000, None, "ms"),
        Figure(f"submit p99, {few_}", p99[0] * 1000, None, "ms"),
        Figure("submit p99, many over few", p99[1] / p99[0], ("≤", 2)),
        Figure("submit p50, many over few", statistics.median(many.submits) / statistics.median(few.submits)),
    ]
    for path in PAGES:
        figures.append(Figure(f"GET {path} p99, {many_}", percentile(many.pages[path]) * 1000, ("≤", QUICK), "ms"))
        figures.append(Figure(f"GET {path} p99, {few_}", percentile(few.pages[path]) * 1000, None, "ms"))
    for part, seconds in many.parts.items():
        figures.append(Figure(f"{part}, {many_}", seconds / many.moved * 1000, None, "ms a job"))
    return [
        *figures,
        Figure("Redis memory, many less few", (many.redis - few.redis) / 2**20, ("≤", 10), "MB"),
        Figure("worker memory, many less few", (many.resident - few.resident) / 2**20, ("≤", 20), "MB"),
        Figure(f"worker memory while it drains, {many_}", many.slope * 1000 / 2**20, ("≤", 1), "MB per 1,000 jobs"),
        Figure(f"worker memory while it drains, {few_}", few.slope * 1000 / 2**20, None, "MB per 1,000 jobs"),
        Figure(f"drain, {many_}", many.rate, None, "jobs/s"),
        Figure(f"drain, {few_}", few.rate, None, "jobs/s"),
    ]


def fill(running: Rig, jobs: int) -> list[Figure]:
    """Submit until ``jobs`` wait."""
    said, began, left = time.monotonic(), time.monotonic(), jobs - waiting(running)
    added = max(1, left)
    while left > 0:
        running.submit(min(CHUNK, left))
        left -= CHUNK
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"  {jobs - left:,} waiting", file=sys.stderr)
    running.holdfast.backend.installation.offers.flush()
    rate = added / (time.monotonic() - began)
    return [Figure("filling", rate, None, "jobs/s"), Figure("on the disk", on_disk(running) / 2**20, None, "MB")]


def waiting(running: Rig) -> int:
    return sum(lane.counts.get(State.QUEUED, 0) for lane in running.store.read(list_lanes))


def on_disk(running: Rig) -> int:
    """Bytes of the database: SQLite's files, or what Postgres says."""
    if running.store.dialect.name == "sqlite":
        return sum(path.stat().st_size for path in running.directory.glob("holdfast.db*"))
    size = "select pg_database_size(current_database())"
    return int(running.store.read(lambda tx: tx.connection.exec_driver_sql(size).scalar_one()))


def one_round(side: Side) -> None:
    """A share of every measurement on one side."""
    running = side.rig
    side.submits += [timed(lambda: running.holdfast.submit("one more", model="bench")) for _ in range(SUBMITS)]
    key = message_key(running.store)
    connection = connect(running.settings.storage.redis_url, running.settings.storage.directory, key=lambda: key)
    try:
        asyncio.run(work(side, connection))
        side.redis = connection.sync().info("memory")["used_memory"]
    finally:
        connection.close()
    for path in PAGES:
        side.pages[path] += [timed(lambda path=path: get(side.api + path)) for _ in range(LOOKS)]


async def work(side: Side, connection: Connection) -> None:
    """Take jobs all the way, ``GROUP`` at a time. Few stay few: as many are submitted as are taken.

    A job comes into its lane's window by a refill where many wait, and by the offer of its submit where few do: both
    are counted as its refill.
    """
    collect_garbage_as_worker()
    running = side.rig
    settings, worker = running.settings, new_id()
    gate, plan = Gate(connection, window=settings.worker.window), settings.plan("bench")
    await gate.begin(fresh=True)
    lanes = LaneSchedule(settings, ProviderPool(settings, concurrency=1))
    refiller = WindowRefiller(WorkerContext(settings, running.store, gate, lanes))
    running.store.write(register_worker, worker, "bench", os.getpid(), "0", lease=600.0)
    spent: Counter[str] = Counter(fetch=0.0, refill=0.0, claim=0.0, settle=0.0, acknowledge=0.0)
    done = 0
    while done < GROUP * GROUPS:
        began = time.perf_counter()
        permits, status = await gate.fetch(LANE, GROUP, worker, plan)
        began = lap(spent, "fetch", began)
        if status.low or not permits:
            await refiller._fill(LANE)  # noqa: SLF001 - what `soon` starts, waited for
            began = lap(spent, "refill", began)
        claimed = running.store.write(claim, worker, permits)
        began = lap(spent, "claim", began)
        running.store.write(finish, [answered(job) for job in claimed])
        lap(spent, "settle", began)
        ended, began = [called(permit, REPLY, seconds=0.1) for permit in permits], time.perf_counter()
        await gate.finish(ended)
        lap(spent, "acknowledge", began)
        done += len(claimed)
        if waiting(running) < FEW:
            running.submit(len(claimed))
            began = time.perf_counter()
            running.holdfast.backend.installation.offers.flush()
            lap(spent, "refill", began)
    running.store.write(stop_worker, worker)
    await gate.release(worker)
    await gate.close()
    side.moved += done
    side.parts = {part: side.parts.get(part, 0.0) + seconds for part, seconds in spent.items()}


def collect_garbage_as_worker() -> None:
    """Leave what is loaded alone, and look for garbage as seldom as a worker does.

    Else a refill, which makes a few thousand objects, would have the whole heap of this process looked through.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT)


def lap(spent: Counter[str], part: str, began: float) -> float:
    now = time.perf_counter()
    spent[part] += now - began
    return now


def answered(job: Claimed) -> Attempt:
    return ended(job, a_permit(job), REPLY, Complete())


def buried(job: Claimed) -> Attempt:
    fault = Fault(FaultKind.INVALID_REQUEST, "no such parameter", status=400)
    return ended(job, a_permit(job), fault, Bury(SHED))


def a_permit(job: Claimed) -> Permit:
    return Permit("", job.id, job.lane, "first/first-model", "main", {})


def drain(side: Side, jobs: int, keep: int = 0) -> None:
    """Let a real worker do ``jobs`` of the backlog, which is kept at ``keep`` if that is not 0."""
    running = side.rig
    running.start(1)
    process, stop = running.workers[-1], threading.Event()
    feeding = threading.Thread(target=feed, args=(running, keep, stop))
    if keep:
        feeding.start()
    before, began = succeeded(running), time.monotonic()
    running.until(lambda: succeeded(running) - before >= jobs // 2, at_most=600)  # its caches are full by then
    warm, warm_done = resident(process.pid), succeeded(running)
    running.until(lambda: succeeded(running) - before >= jobs, at_most=600)
    done = succeeded(running)
    side.rate = (done - before) / (time.monotonic() - began)
    side.resident = resident(process.pid)
    side.slope = max(0.0, (side.resident - warm) / (done - warm_done))
    stop.set()
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    if keep:
        feeding.join()


def feed(running: Rig, keep: int, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        if (short := keep - waiting(running)) > 0:
            running.submit(keep + short)


def succeeded(running: Rig) -> int:
    return sum(lane.counts.get(State.SUCCEEDED, 0) for lane in running.store.read(list_lanes))


def lists(running: Rig, url: str, dead: int) -> list[Figure]:
    """What has no bar, but must not be slow: pages of jobs, counts, dead letters, the ledger."""
    store = running.store
    batch = store.read(list_batches, limit=1)[0].id
    bury(running, dead)
    asked: dict[str, Callable[[], Any]] = {
        "first page of jobs": lambda: store.read(list_jobs, JobFilter()),
        "first page of succeeded jobs": lambda: store.read(list_jobs, JobFilter(states=frozenset({State.SUCCEEDED}))),
        "first page of running jobs": lambda: store.read(list_jobs, JobFilter(states=frozenset({State.RUNNING}))),
        "first page of dead jobs": lambda: store.read(list_jobs, JobFilter(states=frozenset({State.DEAD}))),
        "first page of a tenant without jobs": lambda: store.read(list_jobs, JobFilter(tenant="nobody")),
        "first page of a model without jobs": lambda: store.read(list_jobs, JobFilter(model="nobody")),
        "counts of a batch": lambda: store.read(find_batch, batch),
        "50 batches": lambda: store.read(list_batches),
        f"groups of {dead:,} dead letters": lambda: store.read(dead_groups, JobFilter()),
        f"GET /metrics with {dead:,} dead letters": lambda: get(url + "/metrics"),
        f"dropping 500 of {dead:,} dead letters": lambda: store.write(drop, JobFilter(), 500),
        "whether a call began in the last minute": lambda: store.read(called_within, 60.0),
    }
    figures = [Figure(what, median(ask) * 1000, None, "ms") for what, ask in asked.items()]
    began = time.monotonic()
    broken = [line.name for line in store.read(read_ledger) if not line.holds]
    ledger = Figure("the ledger", time.monotonic() - began, None, "s")
    return [*figures, ledger, Figure("ledger lines broken", len(broken), ("=", 0))]


def bury(running: Rig, jobs: int) -> None:
    worker = new_id()
    running.store.write(register_worker, worker, "bench", os.getpid(), "0", lease=3600.0)
    for _ in range(0, jobs, 500):
        heads = running.store.read(lane_heads, LANE, 500)
        permits = [Permit(new_id(), offer.id, LANE, "first/first-model", "main", {}) for offer in heads]
        running.store.write(finish, [buried(job) for job in running.store.write(claim, worker, permits)])
    running.store.write(stop_worker, worker)


def median(what: Callable[[], object]) -> float:
    return statistics.median(timed(what) for _ in range(5))


def percentile(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(0.99 * len(times)))]


if __name__ == "__main__":
    sys.exit(main())
