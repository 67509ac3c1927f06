"""What one pool learned of a limit that nobody wrote down is the start of the next one, also after a loss of Redis."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.policy.learned_limit import LearnedLimit
from holdfast.policy.rate_estimate import Stage
from holdfast.store.learned_limits import keep_limits, read_limits
from redis_servers import RedisServer, redis_server
from system.fleet import Fleet

pytestmark = pytest.mark.timeout(300)
RATE, JOBS = 100, 400
BUCKET = "first/main:claude-sim"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as started:
        monkeypatch.setenv("HOLDFAST_REDIS_URL", started.url)
        yield started


@pytest.fixture
def unknown(server: RedisServer, build: Callable[..., Fleet]) -> Fleet:
    """A provider that answers 429 to every call beyond its rate, names it in no header, and a pool that knows none."""
    return build(rate=RATE, limits="", latency=(0.05, 0.05), headers=False)


def run(fleet: Fleet, jobs: int = JOBS) -> int:
    """A new pool does so many jobs and stops. Returns how many calls were refused."""
    fleet.sims[0].reset()
    worker = fleet.worker()
    batch = fleet.submit(jobs)
    fleet.until_done(batch)
    worker.terminate()
    assert worker.wait(60) == 0
    assert fleet.succeeded(batch) == jobs
    return fleet.sims[0].counts()["by_status"].get("429", 0)


def known(fleet: Fleet) -> LearnedLimit:
    return fleet.store.read(read_limits)[BUCKET]


def test_the_next_pool_starts_with_what_was_learned(unknown: Fleet, server: RedisServer) -> None:
    assert run(unknown) >= 1
    first = known(unknown)
    assert first.stage in {Stage.GUESSED, Stage.LEARNED}
    assert 0.6 * RATE <= first.per_minute / 60 <= 1.6 * RATE
    server.client().flushall()
    run(unknown, 20)
    bucket = server.client().hgetall(f"{{hf}}:bucket:{BUCKET}")
    assert bucket["learn.stage"] == Stage.GUESSED
    assert float(bucket["requests.per_ms"]) * 60_000 == pytest.approx(first.per_minute, rel=0.1)


def test_what_was_learned_and_is_far_too_high_by_now_costs_few_refusals(unknown: Fleet) -> None:
    unknown.store.write(keep_limits, [LearnedLimit(BUCKET, Stage.LEARNED, per_minute=60 * 20 * RATE, burst=200)])
    assert run(unknown) <= 60
    assert known(unknown).per_minute / 60 <= 3 * RATE


def test_what_was_learned_and_is_far_too_low_by_now_is_grown_out_of(unknown: Fleet) -> None:
    unknown.store.write(keep_limits, [LearnedLimit(BUCKET, Stage.LEARNED, per_minute=60 * 0.2 * RATE, burst=2)])
    run(unknown)
    assert known(unknown).per_minute / 60 >= 0.3 * RATE
