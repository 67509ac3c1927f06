"""100,000 dead letters: `python bench/dead_letters.py [--database postgres] [--letters N]`.

Groups, a dry run, a paced replay whose worker is killed with kill -9 in the middle and which is aborted, a replay as
the buckets allow, a drain with another kill, and a drop: the pace, the time to an abort, and that each letter is taken
once. The letters stand among ten times as many other jobs.
"""

import argparse
import signal
import sys
import time

import orjson

from api_server import ApiServer, get, served, timed
from databases import add_choice, kept_in, named
from figures import Figure, show
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.local import LocalBackend
from holdfast.lab.providers.settings import SimSettings
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.ledger import read_ledger, read_totals
from many_jobs import analyze, fill
from rig import Rig, rig

LIMITS = "limits = { requests_per_minute = 600000 }"
PER_SECOND = 50
WATCHED = 20.0  # seconds over which the pace is counted
AFTER = 3.0  # seconds in which nothing more may move after an abort
SHARE = {"succeeded": 90, "dead": 10}
DEAD = JobFilter(states=frozenset({State.DEAD}))
REPLAYED = "select count(*) from job where generation = {0}"
PATIENCE = 600.0  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add_choice(parser)
    parser.add_argument("--letters", type=int, default=100_000)
    given = parser.parse_args()
    with kept_in(given.database), rig(SimSettings(), SimSettings(), limits=LIMITS) as running:
        fill(running.store, given.letters * 10, "bench", SHARE)
        analyze(running.store)
        running.start(2)
        with served(running) as server:
            figures = measure(running, server, given.letters)
    return show(named(f"{given.letters:,} dead letters", given.database), figures, letters=given.letters)


def measure(running: Rig, server: ApiServer, letters: int) -> list[Figure]:
    mine = running.holdfast.backend
    assert isinstance(mine, LocalBackend)
    backend = LocalBackend(mine.installation, tenant=None)  # an operator, who sees every tenant's
    groups = timed(lambda: backend.dead_groups(DEAD))
    planned = timed(lambda: backend.plan_bulk(BulkOrder("replay", DEAD)))
    page = timed(lambda: get(f"{server.url}/ui/dead-letters"))
    return [
        Figure("groups", groups, ("≤", 2), "s"),
        Figure("dry run of a replay", planned, ("≤", 2), "s"),
        Figure("page of dead letters", page, ("≤", 2), "s"),
        *paced(running, backend),
        *drained(running, backend, server, letters // 5),
        *the_rest(running, backend),
        Figure("ledger lines broken", sum(not line.holds for line in running.store.read(read_ledger)), ("=", 0)),
    ]


def paced(running: Rig, backend: LocalBackend) -> list[Figure]:
    """A replay at one pace, a kill -9 of the worker that does it, an abort."""
    id_ = backend.act(BulkOrder("replay", DEAD, per_minute=PER_SECOND * 60), 0.0)["operation"]
    running.until(lambda: moved(backend, id_) >= PER_SECOND, PATIENCE)
    began, before = time.monotonic(), moved(backend, id_)
    time.sleep(WATCHED)
    pace = (moved(backend, id_) - before) / (time.monotonic() - began)
    killed = moved(backend, id_) + PER_SECOND
    kill_one(running)
    gap = timed(lambda: running.until(lambda: moved(backend, id_) > killed, PATIENCE))
    abort = timed(lambda: backend.operation(id_, "abort"))
    stopped = moved(backend, id_)
    time.sleep(AFTER)
    rows = count(running, REPLAYED.format(2))
    return [
        Figure(f"pace, of {PER_SECOND}/s", pace, None, "letters/s"),
        Figure("off the pace that was asked", abs(pace / PER_SECOND - 1) * 100, ("≤", 5), "%"),
        Figure("a second's letters after a kill -9", gap, ("≤", 10), "s"),
        Figure("abort", abort, ("≤", 2), "s"),
        Figure("moved after the abort", moved(backend, id_) - stopped, ("=", 0)),
        Figure("told less moved", abs(rows - stopped), ("=", 0)),
        Figure("replayed twice", count(running, REPLAYED.format(3)), ("=", 0)),
    ]


def drained(running: Rig, backend: LocalBackend, server: ApiServer, letters: int) -> list[Figure]:
    """A drain of some, a worker killed meanwhile, and its export fetched over HTTP."""
    before = running.store.read(read_totals).get("dropped", 0)
    began = time.monotonic()
    id_ = backend.act(BulkOrder("drain", DEAD, letters), 0.0)["operation"]
    kill_one(running)
    running.until(lambda: backend.operation(id_)["state"] == "done", PATIENCE)
    took = time.monotonic() - began
    lines = get(f"{server.url}/api/v1/dlq/exports/{id_}").splitlines()
    ids = {orjson.loads(line)["letter"]["id"] for line in lines}
    gone = running.store.read(read_totals).get("dropped", 0) - before
    return [
        Figure("drain, a worker killed", letters / took, None, "letters/s"),
        Figure("lines that are missing or twice", abs(len(lines) - letters) + len(lines) - len(ids), ("=", 0)),
        Figure("drained less gone", abs(gone - letters), ("=", 0)),
    ]


def the_rest(running: Rig, backend: LocalBackend) -> list[Figure]:
    """As many as the buckets allow are replayed, and all others dropped."""
    some = backend.plan_bulk(BulkOrder("drop", DEAD))["jobs"] // 4
    replay = timed(lambda: backend.act(BulkOrder("replay", DEAD, some), None))
    left = backend.plan_bulk(BulkOrder("drop", DEAD))["jobs"]
    drop = timed(lambda: backend.act(BulkOrder("drop", DEAD), None))
    return [
        Figure("replay as the buckets allow", some / replay, None, "letters/s"),
        Figure("drop", left / drop, None, "letters/s"),
        Figure("replayed twice, at the end", count(running, REPLAYED.format(3)), ("=", 0)),
    ]


def kill_one(running: Rig) -> None:
    """Kill a worker as the kernel does, and start another one."""
    victim = running.workers.pop(0)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    running.launch()


def moved(backend: LocalBackend, operation: str) -> int:
    return int(backend.operation(operation)["jobs"])


def count(running: Rig, query: str) -> int:
    return int(running.store.read(lambda tx: tx.connection.exec_driver_sql(query).scalar_one()))


if __name__ == "__main__":
    sys.exit(main())
