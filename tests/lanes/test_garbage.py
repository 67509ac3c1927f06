"""Somebody else writes to our Redis: whatever lies in whichever of our keys, the next fetch gets on."""

from collections.abc import Callable

import pytest

from holdfast.lanes import Reason
from holdfast.lanes.garbage import KINDS, kind_of
from holdfast.lanes.keys import Keys
from holdfast.model.fault import FaultKind
from holdfast.model.job import Offer, Permit
from holdfast.model.route import Limits
from lanes_twin import LANE, House, fault, fetch, jobs, offers, plan, reply, route

OTHER = "other.batch"
ROUTE = "anthropic/opus"
BUCKET = "anthropic/main:opus"
Name = Callable[[Keys], str]
NAMES: dict[str, Name] = {
    "lane": lambda keys: keys.lane(LANE),
    "messages": lambda keys: keys.messages(LANE),
    "need": lambda keys: keys.need(LANE),
    "beyond": lambda keys: keys.beyond(LANE),
    "acks": lambda keys: keys.acks("w1", LANE),
    "permits": lambda keys: keys.permits("w1"),
    "heartbeats": lambda keys: keys.heartbeats,
    "bucket": lambda keys: keys.bucket(BUCKET),
    "slots": lambda keys: keys.slots(ROUTE),
    "breaker": lambda keys: keys.breaker(f"route:{ROUTE}"),
    "index": lambda keys: keys.index,
    "lanes": lambda keys: keys.names,
    "paused": lambda keys: keys.paused,
    "epoch": lambda keys: keys.epoch,
    "refill": lambda keys: keys.refill(LANE),
    "refused": lambda keys: keys.refused,
    "purged": lambda keys: keys.purged,
    "server": lambda keys: keys.server,
    "alive": lambda keys: keys.alive,
    "faults": lambda keys: f"{keys.root}credential-faults",
    "replies": lambda keys: keys.replies,
    "failing": lambda keys: keys.failing(f"{ROUTE} main"),
    "said": lambda keys: f"{keys.root}said:something",
}
ANOTHER = {"string": "list", "list": "string", "set": "string", "hash": "list", "zset": "hash"}


def spoil(house: House, key: str) -> None:
    """Put something of another type there."""
    kind = ANOTHER[kind_of(key, house.keys.root)]
    house.redis.delete(key)
    if kind == "string":
        house.redis.set(key, "garbage")
    elif kind == "list":
        house.redis.rpush(key, "garbage")
    else:
        house.redis.hset(key, "garbage", "garbage")


async def busy(house: House) -> tuple[list[Offer], Permit]:
    """Two lanes with jobs, a breaker that has moved, one call under way; the jobs of SQL's backlog, and its permit."""
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000, concurrency=3)))
    await house.break_down()
    house.wait(1_000)
    house.offer(1)
    await house.finish([await house.permit()])
    made = offers(10)
    house.lanes.offer(made)
    house.lanes.set_paused("resting.batch", paused=True)
    return made, await house.permit()


async def begun(house: House) -> None:
    """What a worker does when the gate does not know it."""
    house.lanes.set_paused("resting.batch", paused=True)
    await house.gate.begin(fresh=False)
    house.wait(2)


async def served(house: House, lane: str) -> list[str]:
    """What two looks into a lane give; between them SQL may have to say again what it knows."""
    first = await house.fetch(1, "w1", lane)
    if first.permits:
        return jobs(first.permits)
    if first.reason is Reason.EPOCH:
        await begun(house)
    house.wait(5)
    return []


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_of_another_type_holds_nobody_up(house: House, name: str) -> None:
    backlog, held = await busy(house)
    spoil(house, NAMES[name](house.keys))
    house.offer(1, lane=OTHER)
    found = await served(house, OTHER) or await served(house, OTHER)
    assert len(found) == 1
    await house.finish([held])
    waiting = {offer.id for offer in backlog} - {held.job}
    house.wait(10)
    for _ in range(30):
        house.lanes.repair()  # as the sweeper does
        house.lanes.offer([offer for offer in backlog if offer.id in waiting])  # as a refill from SQL does
        permits = (await house.fetch(2)).permits
        waiting -= set(jobs(permits))
        await house.finish(permits)
        house.wait(1)
    assert waiting == set()
    house.lanes.snapshot()
    house.lanes.overrides()
    house.lanes.parked(["anthropic/main"])
    assert house.lanes.workers() == ["w1"]


@pytest.mark.parametrize("name", ["lane", "messages", "need", "acks", "permits", "slots", "bucket", "index", "lanes"])
async def test_garbage_in_one_lanes_keys_does_not_make_the_others_begin_anew(house: House, name: str) -> None:
    await busy(house)
    house.offer(1, lane=OTHER)
    spoil(house, NAMES[name](house.keys))
    house.wait(5)
    for _ in range(3):
        fetched = await house.fetch(1, lane=OTHER)
        assert fetched.reason is not Reason.EPOCH
        house.wait(5)
        if fetched.permits:
            return
    raise AssertionError("the other lane got nothing")


async def test_a_slot_that_is_taken_stays_taken_when_the_slots_are_destroyed(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000, concurrency=2)))
    house.offer(5)
    held = (await house.fetch(2)).permits
    spoil(house, house.keys.slots(ROUTE))
    assert (await house.fetch(1)).reason is Reason.SLOTS
    await house.finish(held[:1])
    assert len((await house.fetch(2)).permits) == 1


async def test_a_call_whose_record_was_destroyed_gives_its_slot_back_and_no_units(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000, concurrency=1)))
    house.offer(5)
    held = await house.permit()
    spoil(house, house.keys.permits("w1"))
    before = house.level()
    await house.finish([held], reply(1, 1))
    assert house.level() == before
    assert len((await house.fetch(1)).permits) == 1


async def test_a_bucket_that_was_destroyed_starts_empty(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=6_000)))
    house.offer(10)
    await house.permit()
    spoil(house, house.keys.bucket(BUCKET))
    assert (await house.fetch(5)).reason is Reason.BUCKET


async def test_where_a_breaker_or_a_pause_was_destroyed_everybody_begins_with_care(house: House) -> None:
    for name in (house.keys.breaker(f"route:{ROUTE}"), house.keys.paused):
        await busy(house)
        spoil(house, name)
        assert (await fetch(house.another_gate(), LANE, 1, "w2", house.plan)).reason is Reason.EPOCH
        await begun(house)


@pytest.mark.parametrize(
    ("name", "field"),
    [("breaker", "version"), ("breaker", "epoch"), ("bucket", "learn.version")],
)
async def test_numbers_that_are_none_hold_nobody_up(house: House, name: str, field: str) -> None:
    house.plan = plan(route(limits=Limits()))
    house.offer(10)
    await house.finish([await house.permit()], fault())
    house.redis.hset(NAMES[name](house.keys), field, "garbage")
    held = (await house.fetch(1)).permits
    await house.finish(held, fault(FaultKind.RATE_LIMITED, retry_after=1.0))
    house.wait(60)
    if (await house.fetch(1)).reason is Reason.EPOCH:
        await begun(house)
    house.wait(60)
    assert len((await house.fetch(1)).permits) == 1


async def test_what_was_deleted_is_counted(house: House) -> None:
    spoil(house, house.keys.lane(LANE))
    await house.fetch(1)
    assert house.lanes.snapshot().purged == 1


async def test_keys_that_are_not_ours_are_left_alone(house: House) -> None:
    theirs = f"{house.keys.root}something-else"
    house.redis.set(theirs, "theirs")
    spoil(house, house.keys.lane(LANE))
    await house.fetch(1)
    assert house.redis.get(theirs) == "theirs"


def test_every_key_has_its_type_and_is_spoiled_here() -> None:
    keys = Keys()
    assert all(kind_of(name(keys), keys.root) for name in NAMES.values())
    known = {begins for begins in KINDS if any(name(keys).startswith(keys.root + begins) for name in NAMES.values())}
    assert known == set(KINDS)
