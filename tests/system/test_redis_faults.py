"""Redis is a cache: whatever happens to it, nothing is lost, nothing runs twice, and no provider sees a burst."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import httpx2
import pytest

from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.lanes import Lanes, connect
from holdfast.lanes.garbage import kind_of
from holdfast.model.ids import new_id
from holdfast.model.job import Need, Offer
from holdfast.store.overrides import set_override
from producing import served
from redis_servers import DURABLE, RedisServer, redis_server
from servers import postgres
from system.fleet import Fleet

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

RATE = 50  # requests a second that the provider lets in, after a burst of as many
PACED = "limits = { requests_per_minute = 2_100 }"  # less: calls bunch up on a busy machine
JOBS = 120
SQLITE, POSTGRES = "sqlite", "postgres"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis", **DURABLE) as started:
        monkeypatch.setenv("HOLDFAST_REDIS_URL", started.url)
        yield started


@pytest.fixture
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Postgres for the tests that ask for it, else SQLite."""
    with postgres() if getattr(request, "param", SQLITE) == POSTGRES else nullcontext() as url:
        if url:
            monkeypatch.setenv("HOLDFAST_DATABASE_URL", url)
        yield


on_both_databases = pytest.mark.parametrize("database", [SQLITE, POSTGRES], indirect=True)


@pytest.fixture
def paced(database: None, server: RedisServer, build: Callable[..., Fleet]) -> Fleet:
    """A provider that answers 429 to every call beyond its rate, and a worker that knows the rate."""
    return build(rate=RATE, limits=PACED, latency=(0.1, 0.1), concurrency=60)


def all_is_well(fleet: Fleet, *batches: str, jobs: int = JOBS) -> None:
    """Every job succeeded with one answer, and no second of the provider's had more calls than its limit and burst."""
    for batch in batches:
        fleet.until_done(batch)
    assert sum(fleet.succeeded(batch) for batch in batches) == jobs
    assert fleet.sims[0].counts()["by_status"]["200"] == jobs
    for batch in batches:
        assert fleet.broken(batch, rate=RATE) == []


def in_the_middle(fleet: Fleet, jobs: int = JOBS) -> str:
    batch = fleet.submit(jobs)
    fleet.until(lambda: fleet.done(batch) > 50)
    return batch


@on_both_databases
@pytest.mark.parametrize("keeps_data", [True, False], ids=["with its data", "without its data"])
def test_a_redis_killed_and_started_again_costs_a_pause(paced: Fleet, server: RedisServer, keeps_data) -> None:
    paced.worker(), paced.worker()
    first = in_the_middle(paced, JOBS - 20)
    server.kill()
    second = paced.submit(20)
    assert "did not answer" in warning(paced)
    if not keeps_data:
        server.lose_data()
    server.start()
    all_is_well(paced, first, second)


@on_both_databases
def test_a_redis_flushed_every_second_only_slows_things_down(paced: Fleet, server: RedisServer) -> None:
    paced.worker(), paced.worker()
    batch = in_the_middle(paced)
    for _ in range(4):
        server.client().flushall()
        time.sleep(1.0)
    all_is_well(paced, batch)


@on_both_databases
def test_a_redis_that_turns_read_only_is_waited_for(paced: Fleet, server: RedisServer) -> None:
    paced.worker()
    first = in_the_middle(paced, JOBS - 20)
    server.client().replicaof("127.0.0.1", 1)
    second = paced.submit(20)
    paced.until(lambda: "redis_lost" in paced.said())
    assert "read-only replica" in warning(paced)
    server.client().replicaof("NO", "ONE")
    all_is_well(paced, first, second)
    assert paced.said().count("redis_lost") <= 2


@on_both_databases
def test_a_redis_that_is_full_is_waited_for(paced: Fleet, server: RedisServer) -> None:
    paced.worker()
    first = in_the_middle(paced, JOBS - 20)
    server.client().config_set("maxmemory", "1000000")
    second = paced.submit(20)
    paced.until(lambda: "redis_lost" in paced.said())
    assert "Redis is full" in warning(paced)
    server.client().config_set("maxmemory", "0")
    all_is_well(paced, first, second)
    assert paced.said().count("redis_lost") <= 2


@on_both_databases
def test_a_redis_that_stands_still_for_eight_seconds_is_waited_for(paced: Fleet, server: RedisServer) -> None:
    paced.worker()
    first = in_the_middle(paced, JOBS - 20)
    server.pause()
    begun = time.monotonic()
    second = paced.submit(20)
    assert time.monotonic() - begun < 5.0
    assert "answer" in warning(paced)
    time.sleep(max(0.0, begun + 8.0 - time.monotonic()))
    server.go_on()
    all_is_well(paced, first, second)


@on_both_databases
def test_a_redis_that_may_evict_is_told_of_in_the_log_and_the_status(
    tmp_path: Path, database: None, monkeypatch: pytest.MonkeyPatch, build: Callable[..., Fleet]
) -> None:
    with redis_server(tmp_path / "redis", maxmemory_policy="allkeys-lru") as evicting:
        monkeypatch.setenv("HOLDFAST_REDIS_URL", evicting.url)
        fleet = build()
        batch = fleet.submit(20)
        fleet.worker()
        fleet.until_done(batch)
        fleet.until(lambda: "maxmemory-policy allkeys-lru" in fleet.said())
        assert "maxmemory-policy allkeys-lru" in warning(fleet)


@on_both_databases
def test_garbage_forged_and_doubled_messages_hold_nobody_up(paced: Fleet, server: RedisServer) -> None:
    batch = paced.submit(JOBS)
    redis, keys, lane = server.client(), connect(server.url, Path()).keys, "one.batch"
    garbage = [
        b"\xff\xfe not text",
        b"",
        b"\x00" * 40,
        b"x" * 100_000,
        *(f"garbage {n}".encode() for n in range(2_000)),
    ]
    redis.lpush(keys.lane(lane), *garbage)
    for text in garbage[:3]:
        redis.hset(keys.need(lane), text, "1\t1")
        redis.hset(keys.messages(lane), text, b"\xff{not json")
    lanes = Lanes(connect(server.url, Path()))
    lanes.offer([Offer(new_id(), lane, Need(10**12, 10**12)) for _ in range(50)])  # no such jobs
    paced.worker()
    paced.until(lambda: paced.done(batch) > 0)
    begun, before = time.monotonic(), paced.done(batch)
    for job in paced.jobs(batch)[:100]:
        redis.lpush(keys.lane(lane), job.id, job.id)
        redis.hset(keys.need(lane), job.id, json.dumps({"forged": True}))
    paced.until(lambda: paced.done(batch) > before)
    assert time.monotonic() - begun < 1.0
    all_is_well(paced, batch)


@on_both_databases
def test_garbage_in_every_key_of_ours_in_turn_loses_nothing_and_stops_nobody(paced: Fleet, server: RedisServer) -> None:
    """Each key becomes one of another type under a working pool; all jobs end, each with one call."""
    paced.worker()
    batch = in_the_middle(paced, 3 * JOBS)
    redis, keys = server.client(), connect(server.url, Path()).keys
    spoiled = sorted(name for name in redis.scan_iter(f"{keys.root}*") if kind_of(name, keys.root))
    for name in spoiled:
        with redis.pipeline() as pipe:
            pipe.delete(name)
            pipe.rpush(name, "garbage") if kind_of(name, keys.root) != "list" else pipe.set(name, "garbage")
            pipe.execute()
        before = paced.done(batch)
        paced.until(lambda before=before: paced.done(batch) > before or paced.done(batch) == 3 * JOBS, 10)
    assert len(spoiled) >= 10
    all_is_well(paced, batch, jobs=3 * JOBS)
    assert Lanes(connect(server.url, Path())).snapshot().purged > 0


def test_an_override_set_while_redis_is_away_holds_when_it_is_back(paced: Fleet, server: RedisServer) -> None:
    paced.worker()
    paced.until_done(paced.submit(5))
    operator = LocalBackend(Installation(paced.settings))
    server.kill()
    assert "Redis does not answer" in operator.pause("one.batch", paused=True)["warning"]
    server.lose_data()
    server.start()
    batch = paced.submit(20)
    paced.until(lambda: server.client().get("{hf}:epoch") is not None)
    time.sleep(1.5)
    assert paced.done(batch) == 0
    operator.pause("one.batch", paused=False)
    paced.until_done(batch)
    operator.close()


def test_an_override_that_redis_forgot_is_told_again_before_a_job_slips_past_it(
    paced: Fleet, server: RedisServer
) -> None:
    paced.worker()
    paced.until_done(paced.submit(5))
    operator = LocalBackend(Installation(paced.settings))
    operator.force("first/claude-sim", "open")
    batch = paced.submit(20)
    for _ in range(3):
        server.client().flushall()
        time.sleep(1.0)
    assert paced.done(batch) == 0
    operator.reset("first/claude-sim")
    paced.until_done(batch)
    operator.close()


def test_an_override_lifted_while_nobody_worked_is_lifted_by_the_next_worker(paced: Fleet, server: RedisServer) -> None:
    operator = LocalBackend(Installation(paced.settings))
    operator.pause("one.batch", paused=True)
    paced.store.write(set_override, "lane", "one.batch", None, "test")  # and Redis never heard
    batch = paced.submit(20)
    paced.worker()
    paced.until_done(batch)
    operator.close()


def warning(fleet: Fleet) -> str:
    """What is said of Redis; `status` and `readyz` say the same, and jobs can be handed in all the same."""
    with closing(LocalBackend(Installation(fleet.settings))) as operator:
        told = " ".join(operator.status()["warnings"])
    with served(fleet.settings) as url:
        ready = httpx2.get(f"{url}/readyz", timeout=30.0).json()
    assert ready["ready"] is True
    assert ready["status"] == ("degraded" if told else "ready")
    assert len(ready["warnings"]) == (1 if told else 0)
    return told and ready["warnings"][0]
