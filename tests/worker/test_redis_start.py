"""A Redis that does not know the fleet is new or was lost: after recent calls it begins with care."""

import pytest

from holdfast.lanes import Gate
from holdfast.policy.learned_limit import LearnedLimit
from holdfast.policy.rate_estimate import Stage
from holdfast.store.fleet import list_workers, stop_worker
from holdfast.store.learned_limits import keep_limits
from holdfast.store.overrides import set_override
from holdfast.store.requeue import called_within
from holdfast.worker import redis_start
from holdfast.worker.context import WorkerContext
from holdfast.worker.redis_start import RedisStart
from lanes_twin import LANE
from worker.workshop import Workshop


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_start, "SENT_BY_NOW", 0.0)


async def epoch(workshop: Workshop) -> str:
    """What a Redis that was emptied begins as."""
    workshop.connection.sync().flushall()
    await RedisStart(workshop.context, workshop.overrides).begin()
    return str(workshop.connection.sync().get(workshop.connection.keys.epoch)).partition(":")[0]


async def test_without_recent_calls_it_is_new(workshop: Workshop):
    assert await epoch(workshop) == "fresh"


async def test_after_a_recent_call_it_was_lost(workshop: Workshop):
    job = workshop.scene.start()
    assert await epoch(workshop) == "lost"
    workshop.scene.sql("update attempt set ended_at = started_at, outcome = 'unknown' where job = :id", id=job.id)
    assert await epoch(workshop) == "lost"
    workshop.scene.pass_time(redis_start.RECENT + 1)
    assert await epoch(workshop) == "fresh"


async def test_a_call_that_was_permitted_just_before_the_loss_is_seen_at_a_second_look(workshop: Workshop, monkeypatch):
    answers = iter([False, True])

    async def read(_: WorkerContext, question, *_seconds: float) -> bool | list | dict:
        return next(answers) if question is called_within else ["a worker"] if question is list_workers else {}

    monkeypatch.setattr(WorkerContext, "read", read)
    assert await epoch(workshop) == "lost"


async def test_where_no_worker_is_registered_nobody_holds_a_permit_that_would_be_waited_for(workshop, monkeypatch):
    monkeypatch.setattr(redis_start, "SENT_BY_NOW", 3_600.0)
    for worker in workshop.scene.store.read(list_workers):
        workshop.scene.store.write(stop_worker, worker.id)
    assert await epoch(workshop) == "fresh"


async def test_it_begins_before_the_first_fetch_and_once(workshop: Workshop):
    workshop.connection.sync().flushall()
    start = RedisStart(workshop.context, workshop.overrides)
    await start.begin_early()
    name = workshop.connection.sync().get(workshop.connection.keys.epoch)
    await start.begin_early()
    assert name is not None
    assert workshop.connection.sync().get(workshop.connection.keys.epoch) == name


async def test_a_redis_that_is_away_is_left_to_the_fetcher(workshop: Workshop):
    workshop.server.connected = False
    await RedisStart(workshop.context, workshop.overrides).begin_early()


async def test_no_permit_is_given_before_redis_knows_what_was_learned_of_limits(workshop: Workshop, monkeypatch):
    workshop.scene.store.write(keep_limits, [LearnedLimit("anthropic/main:opus", Stage.LEARNED, 24_000.0)])
    workshop.connection.sync().flushall()
    known: list[bool] = []

    async def begin(gate: Gate, *, fresh: bool) -> None:
        known.append(bool(workshop.connection.sync().exists(workshop.connection.keys.bucket("anthropic/main:opus"))))

    monkeypatch.setattr(Gate, "begin", begin)
    await RedisStart(workshop.context, workshop.overrides).begin()
    assert known == [True]


async def test_no_permit_is_given_before_redis_knows_what_operators_paused(workshop: Workshop, monkeypatch):
    workshop.scene.store.write(set_override, "lane", LANE, "paused", "me")
    known: list[dict] = []

    async def begin(gate: Gate, *, fresh: bool) -> None:
        known.append(gate.lanes.overrides())

    monkeypatch.setattr(Gate, "begin", begin)
    await RedisStart(workshop.context, workshop.overrides).begin()
    assert known == [{("lane", LANE): "paused"}]
