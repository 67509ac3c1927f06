"""Settling a call gives back what its permit took, charges what it really used, and acknowledges; once."""

import pytest

from attempts import called
from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import FaultKind
from holdfast.model.job import Need
from holdfast.model.route import Api, Limits
from holdfast.model.step import Reroute
from lanes_twin import LANE, House, fault, jobs, plan, reply, route

WIDE = Limits(requests_per_minute=60_000, input_tokens_per_minute=6_000_000, output_tokens_per_minute=6_000_000)


@pytest.fixture
def full(house: House) -> House:
    """Lanes whose buckets are full, so that what is given back shows; the clock stands still."""
    house.plan = plan(route(limits=WIDE))
    return house


async def left_after(house: House, need: Need, answer, **more) -> tuple[float, float, float]:
    """Units missing from each bucket after one settled call."""
    house.offer(1, need)
    capacity = {}
    permit = await house.permit()
    for name in ("requests", "input_tokens", "output_tokens"):
        capacity[name] = float(house.bucket()[f"{name}.capacity"])
    await (house.gate.finish([called(permit, answer, **more)]) if answer else house.gate.drop([permit]))
    return tuple(round(capacity[name] - house.level(name)) for name in capacity)


async def test_real_usage_is_charged_whatever_was_reserved(full: House) -> None:
    assert await left_after(full, Need(1_000, 200), reply(700, 90)) == (1, 700, 90)


async def test_usage_beyond_the_reservation_is_charged_too(full: House) -> None:
    assert await left_after(full, Need(100, 100), reply(2_000, 3_000)) == (1, 2_000, 3_000)


async def test_anthropics_cache_reads_are_free(full: House) -> None:
    assert await left_after(full, Need(1_000, 100), reply(1_000, 100, cached=900)) == (1, 100, 100)


async def test_anthropics_max_tokens_reserve_next_to_nothing(full: House) -> None:
    full.offer(1, Need(100, 64_000))
    await full.permit()
    capacity = float(full.bucket()["output_tokens.capacity"])
    assert capacity - full.level("output_tokens") == 250


async def test_one_openai_allowance_covers_input_and_output(full: House) -> None:
    limits = Limits(requests_per_minute=60_000, input_tokens_per_minute=6_000_000)
    full.plan = plan(route("openai", "gpt", limits))
    full.offer(1, Need(100, 4_000))
    permit = await full.permit()
    name = "openai/main:gpt"
    capacity = float(full.bucket(name)["input_tokens.capacity"])
    assert capacity - full.level("input_tokens", name) == 4_100
    await full.finish([permit], reply(90, 10))
    assert capacity - full.level("input_tokens", name) == 100


async def test_openai_reserves_all_of_the_output_where_it_has_its_own_allowance(full: House) -> None:
    full.plan = plan(route("openai", "gpt", WIDE, api=Api.OPENAI_RESPONSES))
    full.offer(1, Need(100, 4_000))
    await full.permit()
    name = "openai/main:gpt"
    bucket = full.bucket(name)
    assert float(bucket["input_tokens.capacity"]) - full.level("input_tokens", name) == 100
    assert float(bucket["output_tokens.capacity"]) - full.level("output_tokens", name) == 4_000


async def test_a_failed_call_gives_its_tokens_back_and_keeps_its_request(full: House) -> None:
    assert await left_after(full, Need(1_000, 200), fault(FaultKind.SERVER_ERROR)) == (1, 0, 0)


async def test_a_call_that_may_have_run_keeps_its_reservation(full: House) -> None:
    assert await left_after(full, Need(1_000, 200), fault(FaultKind.TIMED_OUT, ambiguous=True)) == (1, 1_000, 200)


async def test_an_answer_that_breaks_the_jobs_schema_is_charged_at_its_usage(full: House) -> None:
    used = reply(700, 90).usage
    assert await left_after(full, Need(1_000, 200), fault(FaultKind.BAD_OUTPUT), usage=used) == (1, 700, 90)


async def test_estimated_usage_changes_nothing(full: House) -> None:
    assert await left_after(full, Need(1_000, 200), reply(1, 1, estimated=True)) == (1, 1_000, 200)


async def test_a_call_that_was_never_made_gives_everything_back(full: House) -> None:
    assert await left_after(full, Need(1_000, 200), None) == (0, 0, 0)
    for kind in (FaultKind.INTERNAL, FaultKind.UNMAPPABLE, FaultKind.NO_TOKEN, FaultKind.UNREACHABLE):
        assert await left_after(full, Need(1_000, 200), fault(kind)) == (0, 0, 0), kind


async def test_settling_twice_gives_back_once(full: House) -> None:
    full.offer(2, Need(1_000, 200))
    permit, _ = (await full.fetch(2)).permits
    await full.gate.drop([permit])
    before = full.bucket()
    await full.gate.drop([permit])
    await full.finish([permit], reply(5_000, 5_000))
    assert full.bucket() == before


async def test_a_settled_call_is_acknowledged_and_leaves_nothing_behind(full: House) -> None:
    full.offer(3)
    permits = (await full.fetch(3)).permits
    await full.finish(permits)
    keys, redis = full.keys, full.redis
    for name in (keys.messages(LANE), keys.need(LANE), keys.acks("w1", LANE), keys.permits("w1"), keys.lane(LANE)):
        assert not redis.exists(name), name
    assert redis.zcard(keys.slots("anthropic/opus")) == 0


async def test_jobs_to_reroute_are_back_at_the_head_in_their_order_at_once(full: House) -> None:
    full.plan = plan(route(limits=WIDE), route("openai", "gpt", WIDE))
    first = full.offer(3)
    later = full.offer(2)
    permits = (await full.fetch(3)).permits
    again = Reroute({"anthropic/opus": 3.0}, uses_attempt=False)
    await full.gate.finish([called(p, fault(), step=again) for p in permits])
    fetched = await full.fetch(5)
    assert jobs(fetched.permits) == first + later
    assert [p.route for p in fetched.permits] == ["openai/gpt"] * 3 + ["anthropic/opus"] * 2


async def test_calls_of_several_workers_settle_in_one_go(full: House) -> None:
    full.offer(4)
    mine, others = await full.fetch(2, "w1"), await full.fetch(2, "w2")
    await full.finish([*mine.permits, *others.permits])
    assert not full.redis.exists(full.keys.permits("w1"), full.keys.permits("w2"))


async def test_settling_hundreds_at_once_settles_all(full: House) -> None:
    full.offer(500)
    permits = (await full.fetch(500)).permits
    await full.finish(permits)
    assert full.redis.hlen(full.keys.messages(LANE)) == 0
    assert full.redis.zcard(full.keys.slots("anthropic/opus")) == 0


async def test_a_lower_limit_in_headers_caps_the_configured_one(full: House) -> None:
    full.offer(2)
    permits = (await full.fetch(2)).permits
    await full.gate.finish([called(permits[0], reply(), limits={Dimension.REQUESTS: LimitSeen(600.0)})])
    full.offer(1)
    await full.fetch(1)
    assert float(full.bucket()["requests.per_ms"]) == pytest.approx(0.01, rel=0.02)
    await full.gate.finish([called(permits[1], reply(), limits={Dimension.REQUESTS: LimitSeen(6e9)})])
    full.offer(1)
    await full.fetch(1)
    assert float(full.bucket()["requests.per_ms"]) == pytest.approx(1.0, rel=0.02)
