"""What happens when Redis forgets, workers die, and answers get lost on their way."""

import asyncio
from pathlib import Path

import pytest

from holdfast.lanes import Connection, Gate, Lanes, Reason, connect
from holdfast.lanes.script_client import ScriptClient
from holdfast.model.errors import QueueUnavailable
from holdfast.model.job import Need
from holdfast.model.route import Limits
from lanes_twin import LANE, House, fault, fetch, jobs, offers, plan, route
from redis_servers import DURABLE, redis_server


def lose_everything(house: House) -> None:
    """FLUSHALL, for the namespace of this test."""
    for name in house.redis.keys(f"{house.keys.root}*"):
        house.redis.delete(name)


async def test_after_a_loss_the_gate_gives_nothing_until_it_is_begun_again(house: House) -> None:
    house.offer(5)
    lose_everything(house)
    house.offer(5)
    assert (await house.fetch(5)).reason is Reason.EPOCH


async def test_after_a_loss_buckets_start_empty_and_fill_at_their_rate(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=6_000)))
    lose_everything(house)
    await house.gate.begin(fresh=False)
    house.offer(500)
    assert (await house.fetch(100)).reason is Reason.BUCKET
    house.wait(0.5)
    (probe,) = (await house.fetch(100)).permits  # every breaker is probed first
    await house.finish([probe])
    house.wait(600)
    assert len((await house.fetch(200)).permits) <= 100


async def test_after_a_loss_every_route_is_probed_first(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    lose_everything(house)
    await house.gate.begin(fresh=False)
    house.offer(20)
    await house.fetch(1)  # writes the empty buckets
    house.wait(2)
    fetched = await house.fetch(10)
    assert [(permit.route, permit.probe) for permit in fetched.permits] == [
        ("anthropic/opus", True),
        ("openai/gpt", True),
    ]
    assert fetched.reason is Reason.BREAKER
    await house.finish(fetched.permits)
    assert len((await house.fetch(10)).permits) == 4  # two ramps of two


async def test_an_answer_from_before_a_loss_does_not_stand_in_for_the_probe(house: House) -> None:
    house.offer(3)
    before = await house.permit()
    lose_everything(house)
    await house.finish([before], fault())
    await house.gate.begin(fresh=False)
    await house.finish([before])
    assert house.breaker("route:anthropic/opus") == {}


async def test_permits_from_before_a_loss_settle_without_error_and_give_nothing_back(house: House) -> None:
    house.offer(2)
    permits = (await house.fetch(2)).permits
    lose_everything(house)
    await house.gate.begin(fresh=False)
    await house.finish(permits)
    assert house.bucket() == {}


async def test_the_first_to_begin_decides_for_all(house: House) -> None:
    lose_everything(house)
    await asyncio.gather(house.gate.begin(fresh=False), house.another_gate().begin(fresh=False))
    await house.another_gate().begin(fresh=True)
    assert house.redis.get(house.keys.epoch).startswith("lost:")


async def test_a_dead_workers_slots_and_messages_are_freed_and_its_units_stay_spent(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=6_000, concurrency=3)))
    made = offers(3)
    house.lanes.offer(made)
    await house.fetch(3, "dead")
    spent = house.level()
    assert await house.gate.release("dead") == 3
    assert house.level() == spent
    assert house.lanes.offer(made) == 3  # SQL may offer them again
    assert len((await house.fetch(3, "alive")).permits) == 3


async def test_releasing_one_worker_leaves_the_others_alone(house: House) -> None:
    house.offer(4)
    await house.fetch(2, "dead")
    mine = await house.fetch(2, "alive")
    await house.gate.release("dead")
    assert house.lanes.workers() == ["alive"]
    assert set(house.lanes.held("alive")) == set(jobs(mine.permits))
    assert house.lanes.held("dead") == []


async def test_a_worker_that_was_released_may_still_settle_and_nothing_is_given_back(house: House) -> None:
    house.offer(2)
    permits = (await house.fetch(2, "slow")).permits
    await house.gate.release("slow")
    before = house.bucket()
    await house.finish(permits)
    assert house.bucket() == before


async def test_a_worker_forgets_single_jobs(house: House) -> None:
    made = offers(3)
    house.lanes.offer(made)
    await house.fetch(3)
    assert await house.gate.forget("w1", [made[1].id]) == 1
    assert set(house.lanes.held("w1")) == {made[0].id, made[2].id}
    assert house.lanes.offer(made) == 1


async def test_permits_whose_answer_got_lost_are_freed_by_the_next_fetch(house: House, monkeypatch) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=6_000, concurrency=2)))
    made = offers(4)
    house.lanes.offer(made)
    run = ScriptClient.run

    async def lose_the_answer(line, name, keys, arguments):
        answer = await run(line, name, keys, arguments)
        if name == "fetch":
            raise QueueUnavailable("here", "the answer got lost")
        return answer

    with monkeypatch.context() as broken:
        broken.setattr(ScriptClient, "run", lose_the_answer)
        with pytest.raises(QueueUnavailable):
            await house.fetch(2)
    assert len((await house.fetch(2)).permits) == 2
    assert house.lanes.offer(made[:2]) == 2


async def test_messages_that_nobody_holds_are_mended(house: House) -> None:
    made = offers(3)
    house.lanes.offer(made)
    await house.fetch(1)
    house.redis.lpop(house.keys.lane(LANE))  # one is gone from the list, and in nobody's hands
    assert house.lanes.offer(made) == 0
    assert house.lanes.repair() == 1
    assert house.lanes.offer(made) == 1
    assert house.lanes.repair() == 0


async def test_a_job_offered_from_stale_knowledge_is_no_trouble_to_anyone(house: House) -> None:
    made = offers(1, Need(1, 1, {"openai/gpt": None}))
    house.lanes.offer(made)
    await house.finish([await house.permit()])
    house.lanes.offer(made)
    await house.gate.drop([await house.permit()])
    assert house.lanes.lengths() == {LANE: 0}


async def test_a_redis_that_is_away_is_said_to_be_unavailable_without_its_password() -> None:
    connection = connect("redis://me:hush@127.0.0.1:1/0", Path())
    with pytest.raises(QueueUnavailable) as sync:
        Lanes(connection).ping()
    gate = Gate(connection)
    with pytest.raises(QueueUnavailable) as asynchronous:
        await fetch(gate, LANE, 1, "w1", plan())
    await gate.close()
    for error in (sync.value, asynchronous.value):
        assert "redis://me@127.0.0.1:1/0" in str(error)
        assert "hush" not in str(error)


async def somebody_listens(house: House) -> None:
    channel = house.keys.wake
    while dict(house.redis.pubsub_numsub(channel)).get(channel, 0) == 0:  # noqa: ASYNC110  Redis has no event for it
        await asyncio.sleep(0)


async def test_an_offer_wakes_who_waits_for_its_lane(house: House) -> None:
    waiting = asyncio.create_task(house.gate.wake.wait(at_most=20))
    await somebody_listens(house)
    house.offer(1)
    assert await waiting == {LANE}
    assert await house.gate.wake.wait(at_most=0.01) == set()


def test_a_redis_that_may_evict_is_warned_about(real: Connection) -> None:
    real.sync().config_set("maxmemory-policy", "allkeys-lru")
    try:
        (words,) = Lanes(real).redis_health()
    finally:
        real.sync().config_set("maxmemory-policy", "noeviction")
    assert "maxmemory-policy allkeys-lru" in words
    assert Lanes(real).redis_health() == []


async def test_a_redis_that_came_back_with_older_data_keeps_no_level(tmp_path: Path) -> None:
    with redis_server(tmp_path, **DURABLE) as server:
        gate = Gate(connect(server.url, tmp_path))
        lanes = Lanes(connect(server.url, tmp_path))
        await gate.begin(fresh=True)
        lanes.offer(offers(100))
        paced = plan(route(limits=Limits(requests_per_minute=60)))
        narrow = (await fetch(gate, LANE, 5, "w1", paced)).permits
        server.client().hset("{hf}:bucket:anthropic/main:opus", "requests.level", "1")  # as it stood earlier
        server.client().config_set("appendfsync", "always")
        server.kill()
        server.start()
        with pytest.raises(QueueUnavailable):
            await gate.check_writes()
        answer = await fetch(gate, LANE, 5, "w1", paced)
        assert (len(narrow), answer.permits, answer.reason) == (1, [], Reason.BUCKET)
        await gate.close()


async def test_a_bucket_that_redis_evicted_starts_empty(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=6_000)))
    house.offer(10)
    await house.fetch(1)
    house.redis.delete(house.keys.bucket("anthropic/main:opus"))
    assert (await house.fetch(5)).reason is Reason.BUCKET


async def test_what_is_no_job_id_is_garbage_even_with_a_need(house: House) -> None:
    made = offers(1)
    house.lanes.offer(made)
    for text in (b"\xff\xfe", b"", b"x" * 32, b"\x00" * 32):
        house.redis.lpush(house.keys.lane(LANE), text)
        house.redis.hset(house.keys.need(LANE), text, "1\t1")
    assert jobs((await house.fetch(10)).permits) == [made[0].id]
    assert house.redis.llen(house.keys.lane(LANE)) == 0
