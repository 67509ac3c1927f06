"""A Redis that was emptied begins with what was learned before, and nothing of an older bucket gets in the way."""

import pytest

from holdfast.lanes.learned_limits import LEARNED, learned_limits, restore_limits
from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import FaultKind
from holdfast.model.route import Limits
from holdfast.policy.learned_limit import LearnedLimit, LimitSource
from holdfast.policy.rate_estimate import START_PER_MS, Stage
from lanes_twin import House, called, fault, plan, reply, route

BUCKET = "anthropic/main:opus"
KEPT = LearnedLimit(BUCKET, Stage.LEARNED, per_minute=24_000, burst=40)


@pytest.fixture
def learning(house: House) -> House:
    house.plan = plan(route(limits=Limits()))
    return house


def found(house: House) -> LearnedLimit:
    [limit] = learned_limits(house.connection, house.now)
    return limit


async def forget_redis(house: House, *, fresh: bool = True) -> None:
    """Throw away what Redis holds, and begin with what is kept."""
    for key in house.redis.scan_iter(f"{house.keys.root}*"):
        house.redis.delete(key)
    restore_limits(house.connection, [KEPT], house.now)
    await house.gate.begin(fresh=fresh)


async def use(house: House, seconds: float, step: float = 0.05) -> None:
    for _ in range(round(seconds / step)):
        house.offer(100)
        await house.finish((await house.fetch(100)).permits)
        house.wait(step)


async def test_what_a_header_told_is_found_as_it_is_used(learning: House) -> None:
    learning.offer(1)
    told = {Dimension.REQUESTS: LimitSeen(30_000), Dimension.INPUT_TOKENS: LimitSeen(600_000)}
    await learning.gate.finish([called(await learning.permit(), reply(), limits=told)])
    learning.wait(20)
    limit = found(learning)
    assert (limit.bucket, limit.stage, limit.age) == (BUCKET, Stage.TOLD, pytest.approx(20, abs=0.1))
    assert limit.per_minute == pytest.approx(30_000, rel=0.01)
    assert limit.told[Dimension.INPUT_TOKENS] == pytest.approx(600_000, rel=0.01)


async def test_nothing_is_found_where_nothing_was_learned(learning: House) -> None:
    learning.offer(1)
    await learning.permit()
    assert learned_limits(learning.connection, learning.now) == []


async def test_a_bucket_goes_up_to_what_is_kept_within_half_a_second(learning: House) -> None:
    await forget_redis(learning)
    await use(learning, 0.5)
    assert float(learning.bucket()["requests.per_ms"]) == pytest.approx(0.4)
    [bucket] = learning.lanes.snapshot().buckets
    assert bucket.source is LimitSource.EARLIER_RUN


async def test_after_a_loss_a_bucket_that_is_kept_begins_empty_and_fills(learning: House) -> None:
    await forget_redis(learning, fresh=False)
    learning.offer(1)
    assert (await learning.fetch()).permits == []
    learning.wait(0.1)
    assert len((await learning.fetch()).permits) == 1


async def test_a_process_that_knew_the_bucket_before_the_loss_learns_from_what_is_kept(learning: House) -> None:
    await use(learning, 2.0)
    assert found(learning).stage is Stage.GROWING
    await forget_redis(learning)
    await use(learning, 0.5)
    assert float(learning.bucket()["requests.per_ms"]) == pytest.approx(0.4)


async def test_a_bucket_that_is_there_keeps_what_it_knows(learning: House) -> None:
    await use(learning, 1.0)
    before = learning.bucket()
    assert restore_limits(learning.connection, [KEPT], learning.now) == []
    assert learning.bucket() == before


async def test_after_a_loss_a_process_counts_anew_what_was_sent(learning: House) -> None:
    await use(learning, 3.0)
    for key in learning.redis.scan_iter(f"{learning.keys.root}*"):
        learning.redis.delete(key)
    await learning.gate.begin(fresh=True)
    await use(learning, 0.2)
    assert float(learning.bucket()["requests.per_ms"]) < 3 * START_PER_MS


async def test_a_route_that_is_reset_learns_its_limit_anew(learning: House) -> None:
    await use(learning, 1.0)
    refused = fault(FaultKind.RATE_LIMITED, retry_after=1.0)
    learning.offer(1)
    await learning.gate.finish([called(await learning.permit(), refused, seconds=0.01)])
    assert found(learning).stage is Stage.GUESSED
    learning.lanes.reset("anthropic/opus")
    assert not set(learning.bucket()) & set(LEARNED)
    await use(learning, 1.5)  # the process heeds the pause that it knows of, and looks anew then
    assert learning.bucket()["learn.stage"] == "growing"


async def test_garbage_is_not_kept(learning: House) -> None:
    await use(learning, 1.0)
    learning.redis.hset(learning.keys.bucket(BUCKET), "learn.refused", "many")
    assert learned_limits(learning.connection, learning.now) == []
