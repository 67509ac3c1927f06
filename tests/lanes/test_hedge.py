"""A second permit for a job takes what every permit takes, leaves the lane alone, and never probes."""

from attempts import called
from holdfast.model.fault import FaultKind
from holdfast.model.job import Need, Offer
from holdfast.model.route import Limits
from lanes_twin import LANE, House, fault, plan, reply, route


def avoiding(job: str, *routes: str) -> Offer:
    return Offer(job, LANE, Need(100, 100, dict.fromkeys(routes)))


async def test_it_is_a_permit_for_another_route_with_units_and_a_slot_of_its_own(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt", limits=Limits(requests_per_minute=6_000, concurrency=1)))
    (job,) = house.offer(1)
    first = await house.permit()
    second = await house.gate.hedge(avoiding(job, first.route), "w1", house.plan)
    assert second is not None
    assert (second.job, second.route, second.probe) == (job, "openai/gpt", False)
    assert second.id != first.id
    assert house.redis.zcard(house.keys.slots("openai/gpt")) == 1
    assert await house.gate.hedge(avoiding(job, first.route), "w1", house.plan) is None  # no slot is left


async def test_jobs_that_wait_in_the_lane_are_not_touched(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    made = house.offer(3)
    first = await house.permit()
    assert await house.gate.hedge(avoiding(made[0], first.route), "w1", house.plan) is not None
    assert house.redis.lrange(house.keys.lane(LANE), 0, -1) == made[1:]
    assert house.redis.smembers(house.keys.acks("w1", LANE)) == {made[0]}


async def test_to_settle_it_gives_back_its_slot_and_acknowledges_nothing(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    (job,) = house.offer(1)
    first = await house.permit()
    second = await house.gate.hedge(avoiding(job, first.route), "w1", house.plan)
    assert second is not None
    await house.gate.finish([called(second, fault(FaultKind.HEDGE_SECONDARY_LOST, ambiguous=True))])
    assert house.redis.zcard(house.keys.slots("openai/gpt")) == 0
    assert house.redis.smembers(house.keys.acks("w1", LANE)) == {job}
    await house.finish([first], reply())
    assert house.redis.smembers(house.keys.acks("w1", LANE)) == set()


async def test_a_second_call_that_was_not_needed_says_nothing_of_its_route(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    (job,) = house.offer(1)
    first = await house.permit()
    second = await house.gate.hedge(avoiding(job, first.route), "w1", house.plan)
    assert second is not None
    for _ in range(20):
        await house.gate.finish([called(second, fault(FaultKind.HEDGE_SECONDARY_LOST, ambiguous=True))])
    assert house.breaker("route:openai/gpt") == {}


async def test_it_never_probes_a_route_that_is_ill(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    house.plan, both = plan(route("openai", "gpt")), house.plan
    await house.break_down()
    house.plan = both
    (job,) = house.offer(1)
    first = await house.permit()
    house.wait(600)
    assert await house.gate.hedge(avoiding(job, first.route), "w1", both) is None
    assert house.breaker("route:openai/gpt")["state"] == "open"


async def test_a_paused_lane_starts_no_second_call(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    (job,) = house.offer(1)
    first = await house.permit()
    house.lanes.set_paused(LANE, True)
    assert await house.gate.hedge(avoiding(job, first.route), "w1", house.plan) is None


async def test_what_a_dead_worker_held_is_freed_with_the_rest(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    (job,) = house.offer(1)
    first = await house.permit()
    assert await house.gate.hedge(avoiding(job, first.route), "w1", house.plan) is not None
    assert await house.gate.release("w1") == 2
    assert house.redis.zcard(house.keys.slots("openai/gpt")) == 0


async def test_a_breaker_whose_cool_off_is_over_is_ill_though_it_is_not_shut(house: House) -> None:
    await house.break_down()
    house.wait(600)
    health = await house.gate.health(house.plan)
    assert (health.open_routes, health.failing_routes) == (frozenset(), {"anthropic/opus"})
