"""A process that dies at any named step loses nothing; what it held is done by the others.

One pool serves all steps: a worker that lives through them, stopped while the doomed one comes to its step. There is
one on the embedded default, and one on Redis and Postgres.
"""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx2
import pytest

from holdfast.client.bulk_order import BulkOrder
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.lab.providers.settings import InjectedFault
from holdfast.model.ids import inner_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import find_detail
from holdfast.store.ledger import read_ledger
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import BulkAction, open_operation
from holdfast.testing import CRASH_POINTS
from system.fleet import PATIENCE, Fleet, fleet
from system.storages import BOTH, storage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

IN_FLIGHT = 10
OFFERED = 10.0  # seconds in which a job is offered whose producer died: the promise
STOPS_CLAIMING = 1.0  # seconds after SIGTERM: the promise
ON_THE_WAY = [
    *("before_refill", "after_refill", "before_fetch", "before_claim", "mid_claim", "after_claim", "before_send"),
    *("connected", "leaving", "bytes_sent", "mid_body", "after_body", "before_record", "mid_record", "after_record"),
    *("before_settle", "after_settle"),
]
HEDGE = ["mid_hedge", "after_hedge"]
TAKE_OVER = ["mid_take_over", "after_take_over", "after_free"]
PRODUCER = ["before_insert", "mid_insert", "before_offer", "after_offer", "before_response"]
REPLAY = ["before_replay", "after_replay"]
OPERATION = ["mid_replay", "mid_drain", "mid_drop"]
SUBMIT = """
import sys, time
from holdfast.client import Holdfast
hf = Holdfast(config=sys.argv[1])
hf.submit([{"prompt": f"prompt {n}", "model": "one"} for n in range(20)], idempotency_key=sys.argv[2])
time.sleep(10)  # an offer is made by another thread
"""
REPLAY_IT = """
import sys
from pathlib import Path
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.bulk_order import BulkOrder
from holdfast.model.records import JobFilter
from holdfast.config import load
LocalBackend(Installation(load(Path(sys.argv[1])))).act(BulkOrder("replay", JobFilter(batch=sys.argv[2])), None)
"""


@pytest.fixture(scope="module", params=BOTH)
def pool(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    with (
        storage(request.param),
        fleet(tmp_path_factory.mktemp("crash"), concurrency=IN_FLIGHT, lease="2s") as made,
    ):
        made.worker()
        made.until(lambda: len(made.store.read(list_workers)) == 1)
        yield made


@pytest.fixture
def survivor(pool: Fleet) -> Iterator[subprocess.Popen[bytes]]:
    for sim in pool.sims:
        sim.heal()
        sim.reset()
    first, *_ = pool.workers
    yield first
    for process in pool.workers[1:]:  # whatever a test that failed left behind would disturb the next
        if process.poll() is None:
            process.kill()
            process.wait()
    first.send_signal(signal.SIGCONT)


def doomed(pool: Fleet, *steps: str) -> list[subprocess.Popen[bytes]]:
    """Workers that will die at these steps, ready for jobs."""
    processes = [pool.worker(HOLDFAST_CRASH_AT=step) for step in steps]
    pids = {process.pid for process in processes}
    ready = lambda: pids <= {worker.pid for worker in pool.store.read(list_workers)}  # noqa: E731 - read once, here
    pool.until(lambda: ready() or any(process.poll() is not None for process in processes))
    return processes


def test_every_step_has_its_test() -> None:
    tested = {*ON_THE_WAY, *HEDGE, *TAKE_OVER, *PRODUCER, *REPLAY, *OPERATION, "after_release", "after_expire"}
    assert tested == set(CRASH_POINTS)


@pytest.mark.parametrize("step", ON_THE_WAY)
def test_a_worker_killed_on_the_way_of_a_job_loses_nothing(pool, survivor, step):
    [victim] = doomed(pool, step)
    pool.freeze(survivor)
    batch = pool.submit(30)
    assert victim.wait(PATIENCE) == -9
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert pool.succeeded(batch) == 30
    assert pool.broken(batch, may_repeat=IN_FLIGHT) == []


@pytest.mark.parametrize("step", HEDGE)
def test_a_worker_killed_between_the_two_calls_of_a_job_loses_nothing(pool, survivor, step):
    [victim] = doomed(pool, step)
    survivor.send_signal(signal.SIGSTOP)
    pool.sims[0].break_(InjectedFault(mode="slow", delay=3.0))
    batch = pool.submit(20, model="hedged")
    assert victim.wait(30) == -9
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert pool.succeeded(batch) == 20
    assert pool.broken(batch, may_repeat=2 * IN_FLIGHT) == []


def test_a_sweeper_killed_with_due_jobs_in_hand_loses_none(pool, survivor):
    [victim] = doomed(pool, "after_release")
    pool.freeze(survivor)
    pool.sims[0].break_(InjectedFault(mode="e503", seconds=0.5))
    batch = pool.submit(30)
    assert victim.wait(PATIENCE) == -9
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert pool.succeeded(batch) == 30
    assert pool.broken(batch) == []


def test_a_sweeper_killed_after_it_expired_jobs_leaves_each_with_its_record(pool, survivor):
    [victim] = doomed(pool, "after_expire")
    pool.freeze(survivor)
    with closing(LocalBackend(Installation(pool.settings))) as operator:
        operator.pause("one.batch", paused=True)  # the gate hears of it at once: no job starts before it expires
        try:
            batch = pool.submit(5, expires_in=0.01)
            assert victim.wait(PATIENCE) == -9
        finally:
            operator.pause("one.batch", paused=False)
    assert {job.state for job in pool.jobs(batch)} == {State.EXPIRED}
    assert pool.broken(batch) == []


@pytest.mark.parametrize("step", TAKE_OVER)
def test_a_sweeper_killed_while_it_takes_over_is_taken_over_too(pool, survivor, step):
    first, second = doomed(pool, "bytes_sent", step)
    pool.freeze(survivor)
    batch = pool.submit(60)
    assert (first.wait(PATIENCE), second.wait(PATIENCE)) == (-9, -9)
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert pool.succeeded(batch) == 60
    assert pool.broken(batch, may_repeat=2 * IN_FLIGHT) == []


@pytest.mark.parametrize("step", ["before_insert", "mid_insert", "before_offer", "after_offer"])
def test_a_producer_killed_in_a_submit_finds_its_jobs_by_their_key(pool, survivor, step):
    assert run(pool, SUBMIT, step, step) == -9
    jobs = [{"prompt": f"prompt {n}", "model": "one"} for n in range(20)]
    batch = pool.holdfast.submit(jobs, idempotency_key=step).inner
    pool.until_done(batch)
    assert pool.succeeded(batch) == 20
    assert pool.sims[0].counts()["calls"] == 20
    assert pool.broken(batch) == []


@pytest.mark.parametrize("step", ["before_insert", "mid_insert", "before_offer", "before_response"])
def test_a_server_killed_on_the_way_gives_the_same_jobs_to_who_asks_again(pool, survivor, step):
    """Whoever asks another server with the same key gets the same jobs; they are offered, whoever offers them."""
    doomed_server, url = serve(pool, HOLDFAST_CRASH_AT=step)
    pool.until(lambda: died_asking(partial(post, url, step)) or doomed_server.poll() is not None)
    assert doomed_server.wait(PATIENCE) == -9
    died, committed = time.monotonic(), step not in {"before_insert", "mid_insert"}
    if committed:
        pool.until(lambda: pool.sims[0].counts()["calls"] > 0, OFFERED)
    _, url = serve(pool)
    pool.until(lambda: not refuses(url))
    first, again = post(url, step), post(url, step)
    assert first.status_code == again.status_code == 202, (died, first.text)
    ids = [job["id"] for job in first.json()["jobs"]]
    assert ids == [job["id"] for job in again.json()["jobs"]]
    jobs = [pool.store.read(find_detail, inner_id("job", id_)).job for id_ in ids]
    (batch,) = {job.batch for job in jobs}
    pool.until_done(batch)
    assert pool.succeeded(batch) == len(ids) == 20
    assert pool.sims[0].counts()["calls"] == 20
    assert pool.broken(batch) == []


def serve(pool: Fleet, port: int | None = None, **environment: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server, on a free port unless one is named; it ends with the pool, whatever happens."""
    port = port or free_port()
    command = [sys.executable, "-m", "holdfast.cli", "api", "--config", str(pool.config), "--port", str(port)]
    server = subprocess.Popen(command, env=pool.environment(**environment), stderr=subprocess.DEVNULL)
    pool.workers.append(server)
    return server, f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def post(url: str, key: str) -> httpx2.Response:
    jobs = [{"prompt": f"prompt {n}", "model": "one"} for n in range(20)]
    headers = {"idempotency-key": f"server {key}"}
    return httpx2.post(f"{url}/api/v1/jobs", json={"jobs": jobs}, headers=headers, timeout=20.0)


def refuses(url: str) -> bool:
    try:
        httpx2.get(f"{url}/livez")
    except httpx2.TransportError:
        return True
    return False


def died_asking(ask: Callable[[], object]) -> bool:
    """False while the server is not yet there."""
    try:
        ask()
    except httpx2.ConnectError:
        return False
    except httpx2.TransportError:
        return True
    raise AssertionError("the server answered")


@pytest.mark.parametrize("step", REPLAY)
def test_a_replay_that_is_killed_moved_all_or_none(pool, survivor, step):
    """Each step has a route of its own: ten different jobs that one route calls wrong would be the route's fault."""
    pool.sims[0].break_(InjectedFault(mode="e400", model=step))
    batch = pool.submit(5, model=f"first/{step}")
    pool.until_done(batch)
    pool.sims[0].heal()
    assert run(pool, REPLAY_IT, step, batch) == -9
    work_off(pool.store, pool.store.write(open_operation, BulkAction.REPLAY, JobFilter(batch=batch), 100, "test"))
    pool.until_done(batch)
    assert pool.succeeded(batch) == 5
    assert {job.generation for job in pool.jobs(batch)} == {2}
    assert pool.broken(batch) == []


@pytest.mark.parametrize("step", OPERATION)
def test_a_bulk_action_whose_worker_is_killed_is_done_all_the_same(pool, survivor, step):
    pool.sims[0].break_(InjectedFault(mode="e400", model=step))
    batch = pool.submit(5, model=f"first/{step}")
    pool.until_done(batch)
    pool.sims[0].heal()
    pool.freeze(survivor)
    [victim] = doomed(pool, step)
    with closing(LocalBackend(Installation(pool.settings), tenant=None)) as operator:
        order = BulkOrder(step.removeprefix("mid_"), JobFilter(batch=batch, states=frozenset({State.DEAD})))
        assert operator.act(order, None)["jobs"] == 5
    assert victim.wait(PATIENCE) == -9
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert {job.generation for job in pool.jobs(batch)} == ({2} if step == "mid_replay" else set())
    assert [line for line in pool.store.read(read_ledger) if not line.holds] == []


def test_three_sweepers_at_once_release_each_due_job_once(pool, survivor):
    """All of them look after due jobs and dead workers at the same time; a job is called once for each way out."""
    others = [pool.worker() for _ in range(2)]
    pids = {process.pid for process in others}
    pool.until(lambda: pids <= {worker.pid for worker in pool.store.read(list_workers)})
    pool.sims[0].break_(InjectedFault(mode="e503", seconds=1.0))
    batch = pool.submit(60)
    pool.until_done(batch)
    assert pool.succeeded(batch) == 60
    assert pool.sims[0].counts()["by_status"]["200"] == 60
    assert pool.broken(batch) == []
    for process in others:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_sigterm_starts_nothing_more_and_lets_what_runs_finish(pool, survivor):
    pool.freeze(survivor)
    pool.sims[0].break_(InjectedFault(mode="slow", delay=2.0))
    leaver = pool.worker()
    pool.until(lambda: leaver.pid in {worker.pid for worker in pool.store.read(list_workers)})
    batch = pool.submit(5 * IN_FLIGHT)
    pool.until(lambda: pool.sims[0].counts()["in_flight"] == IN_FLIGHT)
    leaver.send_signal(signal.SIGTERM)
    time.sleep(STOPS_CLAIMING)
    started = pool.sims[0].counts()["calls"]
    assert leaver.wait(PATIENCE) == 0
    assert pool.sims[0].counts()["calls"] == started
    pool.sims[0].heal()
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert pool.sims[0].counts()["calls"] == 5 * IN_FLIGHT
    assert pool.broken(batch) == []


def test_a_worker_frozen_for_three_leases_writes_nothing_when_it_wakes(pool, survivor):
    """Its jobs are taken over and done; its own late answers are refused, and the ledger knows of both."""
    sleeper = pool.worker()
    pool.until(lambda: sleeper.pid in {worker.pid for worker in pool.store.read(list_workers)})
    pool.sims[0].break_(InjectedFault(mode="slow", delay=1.0))
    batch = pool.submit(4 * IN_FLIGHT)
    pool.until(lambda: pool.sims[0].counts()["in_flight"] > IN_FLIGHT)
    pool.freeze(sleeper)
    time.sleep(6.0)
    sleeper.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    assert pool.succeeded(batch) == 4 * IN_FLIGHT
    assert pool.broken(batch, may_repeat=IN_FLIGHT) == []
    sleeper.send_signal(signal.SIGTERM)
    assert sleeper.wait(PATIENCE) == 0


def test_a_job_that_kills_three_workers_is_buried_as_poison(pool, survivor):
    victims = doomed(pool, "before_send", "before_send", "before_send")
    pool.freeze(survivor)
    batch = pool.submit(1)
    assert [victim.wait(PATIENCE) for victim in victims] == [-9, -9, -9]
    survivor.send_signal(signal.SIGCONT)
    pool.until_done(batch)
    [job] = pool.jobs(batch)
    assert (job.state, job.fault, job.crashes) == ("dead", "poison", 3)
    assert pool.sims[0].counts()["calls"] == 0


def run(pool: Fleet, program: str, step: str, argument: str) -> int:
    command = [sys.executable, "-c", program, str(pool.config), argument]
    environment = pool.environment(HOLDFAST_CRASH_AT=step)
    return subprocess.run(command, env=environment, check=False, timeout=PATIENCE, cwd=pool.directory).returncode


def test_the_registry_names_every_point_of_the_code() -> None:
    root = Path(__file__).parents[2]
    parts = [path for part in ("shared", "producers", "workers") for path in (root / part).rglob("*.py")]
    named = {line.split('"')[1] for path in parts for line in path.read_text().splitlines() if 'crash_point("' in line}
    assert named == set(CRASH_POINTS)
