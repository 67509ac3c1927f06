"""A permit that was not used at once must be taken anew, and one that cannot be is not used at all."""

from collections.abc import Sequence

from holdfast.lanes.lua import source
from holdfast.lanes.permit_renewal import TRIES, WHY_NOT, PermitRenewal
from holdfast.model.fault import FaultKind
from holdfast.model.job import Permit
from holdfast.model.route import Limits
from holdfast.policy.rate_limit import HIGH, LATE_AFTER, OLD, per_minute
from lanes_twin import House, fault, plan, route

RATE = 50.0  # requests a second
FULL = int(per_minute(RATE * 60).capacity)
PERMIT = Permit("w/1:1", "job", "smart.batch", "anthropic/opus", "main", {})


def paced(house: House, **more: float) -> House:
    house.plan = plan(route(limits=Limits(requests_per_minute=RATE * 60, **more)))
    house.offer(20 * FULL)
    return house


async def test_a_permit_that_is_used_at_once_is_not_asked_for_again(house: House) -> None:
    permit = await paced(house).permit()
    before = house.bucket()
    house.wait(LATE_AFTER - 0.01)
    assert await house.gate.renewal.refusal(permit) is None
    assert house.bucket() == before


async def test_what_was_permitted_long_ago_is_refused_when_others_took_its_units_since(house: House) -> None:
    old = (await paced(house).fetch(FULL, "sleeper")).permits
    house.wait(2.0)
    assert len((await house.fetch(100, "other")).permits) == FULL
    assert {await house.gate.renewal.refusal(permit) for permit in old} == {WHY_NOT["bucket"]}


async def test_a_late_permit_takes_its_units_anew_and_the_old_ones_are_spent(house: House) -> None:
    old = (await paced(house).fetch(10, "sleeper")).permits
    house.wait(2.0)
    assert [await house.gate.renewal.refusal(permit) for permit in old] == [None] * 10
    assert house.level() <= FULL - 9


UNKNOWN = plan(route(limits=Limits(concurrency=None)))


async def test_where_nobody_knows_a_limit_a_late_permit_takes_nothing_anew(house: House) -> None:
    house.plan = UNKNOWN
    house.offer(100)
    old = (await house.fetch(5, "sleeper")).permits
    house.wait(2.0)
    assert (await house.fetch(100, "other")).permits
    assert {await house.gate.renewal.refusal(permit) for permit in old} == {None}


async def test_where_nobody_knows_a_limit_a_process_that_is_slow_to_start_may_call(house: House) -> None:
    now = 0.0

    async def renew(permits: Sequence[Permit]) -> Sequence[str]:
        nonlocal now
        now += 5.0
        return [""] * len(permits)

    renewal = PermitRenewal(renew, lambda: now, lambda _: False)
    now = 10.0
    assert await renewal.refusal(PERMIT) is None


async def drained(house: House, seconds: float, step: float = 0.1) -> None:
    """Somebody takes whatever flows in."""
    for _ in range(round(seconds / step)):
        house.wait(step)
        await house.fetch(100, "other")


async def test_where_all_that_flows_in_is_taken_a_late_permit_takes_nothing_anew(house: House) -> None:
    await paced(house).fetch(100, "other")
    await drained(house, 1.5)
    house.wait(0.1)
    late = (await house.fetch(5, "sleeper")).permits
    await drained(house, 0.4)
    before = house.level()
    assert [await house.gate.renewal.refusal(permit) for permit in late] == [None] * 5
    assert house.level() == before < 1


async def test_a_permit_older_than_half_a_second_takes_everything_anew(house: House) -> None:
    await paced(house).fetch(100, "other")
    await drained(house, 1.5)
    house.wait(0.1)
    old = (await house.fetch(5, "sleeper")).permits
    await drained(house, OLD + 0.2)
    assert {await house.gate.renewal.refusal(permit) for permit in old} == {WHY_NOT["bucket"]}


async def test_a_bucket_that_was_just_half_full_makes_late_permits_take_anew(house: House) -> None:
    await paced(house).fetch(100, "other")
    house.wait(0.6)
    late = (await house.fetch(5, "sleeper")).permits
    await drained(house, 0.4)
    assert {await house.gate.renewal.refusal(permit) for permit in late} == {WHY_NOT["bucket"]}


def test_lua_and_python_agree_on_what_is_high() -> None:
    assert f"local HIGH = {HIGH} " in source("bucket")


async def test_a_call_that_was_refused_for_being_late_gives_no_units_back(house: House) -> None:
    old = (await paced(house).fetch(FULL, "sleeper")).permits
    house.wait(2.0)
    await house.fetch(100, "other")
    before = house.level()
    await house.finish(old, fault(FaultKind.INTERNAL))
    await house.gate.drop(old)
    assert house.level() == before


async def test_a_permit_from_before_a_loss_of_redis_is_not_used_late(house: House) -> None:
    permit = await paced(house).permit()
    house.redis.delete(house.keys.permits("w1"))
    house.wait(1.0)
    assert await house.gate.renewal.refusal(permit) == WHY_NOT["gone"]


async def test_a_late_permit_does_not_follow_others_into_an_outage(house: House) -> None:
    permit = await paced(house).permit()
    await house.break_down()
    house.wait(1.0)
    assert await house.gate.renewal.refusal(permit) == WHY_NOT["breaker"]


async def test_a_late_probe_whose_place_another_took_is_no_second_probe(house: House) -> None:
    await paced(house).break_down(FULL - 10)
    house.wait(1_000)
    first = await house.permit("first")
    house.wait(100)
    second = await house.permit("second")
    assert first.probe
    assert second.probe
    assert await house.gate.renewal.refusal(first) is not None
    assert await house.gate.renewal.refusal(second) is None


async def test_a_permit_whose_slot_ran_out_is_not_used(house: House) -> None:
    permit = await paced(house).permit()
    house.redis.zrem(house.keys.slots("anthropic/opus"), permit.id)
    house.wait(1.0)
    assert await house.gate.renewal.refusal(permit) == WHY_NOT["slots"]


async def test_a_late_permit_is_not_used_in_a_pause_that_the_provider_asked_for(house: House) -> None:
    late, refused = (await paced(house).fetch(2)).permits
    await house.finish([refused], fault(FaultKind.RATE_LIMITED, retry_after=30.0))
    house.wait(1.0)
    assert await house.gate.renewal.refusal(late) == WHY_NOT["bucket"]


async def test_permits_of_two_workers_are_renewed_each_under_its_own_name(house: House) -> None:
    mine, yours = await paced(house).permit("mine"), await house.permit("yours")
    house.wait(1.0)
    assert await house.gate._renew([mine, yours]) == ["", ""]


async def test_a_process_that_hears_every_answer_too_late_does_not_call() -> None:
    now, asked = 100.0, 0

    async def renew(permits: Sequence[Permit]) -> Sequence[str]:
        nonlocal now, asked
        now, asked = now + 1.0, asked + 1
        return [""] * len(permits)

    assert await PermitRenewal(renew, lambda: now).refusal(PERMIT) == WHY_NOT["late"]
    assert asked == TRIES
