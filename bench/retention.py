"""Deleting 100,000 old results beside running claims: `python bench/retention.py [--database sqlite] [--jobs 100000]`.

As a worker does it beside its pool, in transactions of 500 with rests between them. Meanwhile another thread submits,
claims and settles; its p99 is told beside that of a quiet database.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from figures import Figure, show
from holdfast.model.ids import new_id
from holdfast.store import Store
from holdfast.store.batches import open_batch
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.fleet import register_worker
from holdfast.store.ledger import read_ledger
from holdfast.store.operation_pages import REST, work_page
from holdfast.store.operations import RETENTION, find_operation, open_retention
from holdfast.store.retention import first_id
from holdfast.store.submit import submit_jobs
from servers import DURABLE, postgres
from store import WORKER, job, permit, success  # bench/store.py

GROUP = 50  # jobs that the other thread moves at a time
QUIET = 5.0  # seconds of it alone
MONTH = 30 * 86_400.0  # seconds
PARTS = ("job", "request", "attempt", "result")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=100_000)
    given = parser.parse_args()
    status = 0
    for database in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        with opened(database) as store:
            figures = measure(store, given.jobs)
        status |= show(f"retention of {given.jobs:,}, {database}", figures, jobs=given.jobs)
    return status


@contextmanager
def opened(database: str) -> Iterator[Store]:
    if database == "postgres":
        with postgres("-c", "shared_buffers=256MB", *DURABLE) as url:
            yield ready(url)
    else:
        with tempfile.TemporaryDirectory() as directory:
            yield ready(f"sqlite:///{directory}/store.db")


def ready(url: str) -> Store:
    store = Store(url)
    store.ensure()
    store.write(register_worker, WORKER, "bench", 1, "0", lease=3600)
    return store


def measure(store: Store, jobs: int) -> list[Figure]:
    batch = store.write(open_batch, new_id(), "old", "default").id
    grow_old(store, jobs, batch)
    quiet = Busy(store)
    quiet.run(QUIET)
    busy = Busy(store)
    other = threading.Thread(target=busy.run, args=(600.0,))
    other.start()
    began = time.monotonic()
    gone, longest = delete_all(store)
    seconds = time.monotonic() - began
    busy.stop.set()
    other.join()
    broken = [line.name for line in store.read(read_ledger) if not line.holds]
    left = [count(store, f"select count(*) from {part}") for part in PARTS]
    store.close()
    return [
        Figure("jobs deleted", gone, ("=", jobs)),
        Figure("jobs left without their parts, or parts without a job", max(left) - min(left), ("=", 0)),
        Figure("ledger lines broken", len(broken), ("=", 0)),
        Figure("took", seconds, None, "s"),
        Figure("longest transaction", longest * 1000, ("≤", 1000), "ms"),
        Figure("submit, claim and settle of 50, p99 beside it", busy.p99 * 1000, ("≤", 1000), "ms"),
        Figure("submit, claim and settle of 50, p99 alone", quiet.p99 * 1000, None, "ms"),
    ]


def grow_old(store: Store, jobs: int, batch: str) -> None:
    """Jobs that ended two months ago: made, claimed and settled as always, then moved back in time."""
    old = first_id(int((time.time() - 2 * MONTH) * 1e6))[:12]
    for start in range(0, jobs, 500):
        made = [job(id_=old + new_id()[12:], batch=batch, position=start + n) for n in range(min(500, jobs - start))]
        submit_jobs(store, made)
        claimed = store.write(claim, WORKER, [permit(one.id) for one in made])
        store.write(finish, [success(one) for one in claimed])
    back = round(2 * MONTH * 1e6)
    for statement in (
        f"update job set created_at = created_at - {back}, finished_at = finished_at - {back}",
        f"update batch set created_at = created_at - {back}",
    ):
        store.write(lambda tx, said=statement: tx.connection.exec_driver_sql(said))


def delete_all(store: Store) -> tuple[int, float]:
    """How many jobs went, and seconds of the longest page."""
    longest, more = 0.0, store.write(open_retention, MONTH)
    while more:
        began = time.perf_counter()
        more = work_page(store, RETENTION) is not None
        longest = max(longest, time.perf_counter() - began)
        time.sleep(REST)
    return store.read(find_operation, RETENTION).jobs, longest


def count(store: Store, statement: str) -> int:
    return int(store.read(lambda tx: tx.connection.exec_driver_sql(statement).scalar_one()))


class Busy:
    """A producer and a worker on the same database, one group after another."""

    def __init__(self, store: Store) -> None:
        self.store, self.stop = store, threading.Event()
        self.times: list[float] = []

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stop.is_set():
            made = [job() for _ in range(GROUP)]
            began = time.perf_counter()
            submit_jobs(self.store, made)
            claimed = self.store.write(claim, WORKER, [permit(one.id) for one in made])
            self.store.write(finish, [success(one) for one in claimed])
            self.times.append(time.perf_counter() - began)

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(0.99 * (len(self.times) - 1))]


if __name__ == "__main__":
    sys.exit(main())
