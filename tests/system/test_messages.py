"""Messages that come again, in another order, or for another lane: each job is called once, and nobody waits for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from holdfast.lanes import connect
from holdfast.lanes.keys import Keys
from redis_servers import RedisServer, redis_server
from system.fleet import Fleet

JOBS = 30


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as started:
        monkeypatch.setenv("HOLDFAST_REDIS_URL", started.url)
        yield started


class Window:
    """What lies in Redis for one lane: copied, put back, turned round."""

    def __init__(self, server: RedisServer, lane: str) -> None:
        self.redis: redis.Redis = redis.Redis(port=server.port)
        keys: Keys = connect(server.url, Path()).keys
        self.list, self.parts = keys.lane(lane), (keys.messages(lane), keys.need(lane))
        self.kept: tuple[list[bytes], list[dict[bytes, bytes]]] = ([], [])

    def keep(self) -> int:
        """Copy every entry, signatures and all, as somebody who listens to Redis could."""
        self.kept = (self.redis.lrange(self.list, 0, -1), [self.redis.hgetall(part) for part in self.parts])
        return len(self.kept[0])

    def put(self, *, into: "Window | None" = None) -> None:
        other = into or self
        for part, copied in zip(other.parts, self.kept[1], strict=True):
            other.redis.hset(part, mapping=copied)
        other.redis.rpush(other.list, *reversed(self.kept[0]))

    def empty(self) -> bool:
        return self.redis.llen(self.list) == 0


def calls(fleet: Fleet) -> int:
    return sum(sim.counts()["calls"] for sim in fleet.sims)


def test_messages_of_finished_jobs_that_come_again_cost_no_call_and_hold_nobody_up(
    server: RedisServer, build: Callable[..., Fleet]
) -> None:
    fleet, window = build(), Window(server, "one.batch")
    batch = fleet.submit(JOBS)
    fleet.until(lambda: window.keep() == JOBS)
    window.put()  # twice each, and the second time in the other order
    fleet.worker()
    fleet.until_done(batch)
    for _ in range(5):
        window.put()
    later = fleet.submit(JOBS)
    fleet.until_done(later)
    fleet.until(window.empty)
    assert calls(fleet) == 2 * JOBS
    assert fleet.succeeded(batch) == fleet.succeeded(later) == JOBS
    assert fleet.offenders() == {}


def test_messages_that_were_carried_to_another_lane_cost_no_call_there(
    server: RedisServer, build: Callable[..., Fleet]
) -> None:
    fleet = build()
    one, two = Window(server, "one.batch"), Window(server, "two.batch")
    batch = fleet.submit(JOBS)
    fleet.until(lambda: one.keep() == JOBS)
    one.put(into=two)
    other = fleet.submit(JOBS, model="two")
    fleet.worker()
    for each in (batch, other):
        fleet.until_done(each)
    fleet.until(two.empty)
    assert calls(fleet) == 2 * JOBS
    assert fleet.offenders() == {}
    assert "messages_refused" in fleet.said()
