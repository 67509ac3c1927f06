"""A call that was refused stops the others of its bucket at once: those with a permit, and those that would get one."""

import asyncio
from dataclasses import replace

import pytest

from attempts import called
from holdfast.lanes.permit_renewal import WHY_NOT
from holdfast.lanes.refused_buckets import RefusedBuckets
from holdfast.model.errors import QueueUnavailable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Permit
from holdfast.policy.admission import Reason
from lanes_twin import House, fault

REFUSED = fault(FaultKind.RATE_LIMITED, retry_after=3.0)
BUCKET = "anthropic/main:opus"


async def heard(house: House, permit: Permit, outcome: Fault = REFUSED, before: FaultKind | None = None) -> None:
    """The process hears how the call of ``permit`` ended, and Redis what it tells at once."""
    attempt = called(permit, outcome)
    house.gate.record_refusal(replace(attempt, job=replace(attempt.job, fault=before)))
    if telling := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(telling)


async def test_the_bucket_rests_before_anybody_has_settled_the_call(house: House) -> None:
    house.offer(3)
    await heard(house, await house.permit())
    assert float(house.bucket()["paused_until"]) == pytest.approx((house.now + 3.01) * 1000)
    assert (await house.fetch(1, "other")).reason is Reason.BUCKET
    house.wait(3.1)
    assert len((await house.fetch(1, "other")).permits) == 1


async def test_permits_that_were_asked_for_before_are_held_back_and_later_ones_are_not(house: House) -> None:
    house.offer(3)
    first, second = (await house.fetch(2)).permits
    assert await house.gate.renewal.refusal(second) is None
    await heard(house, first)
    assert await house.gate.renewal.refusal(second) == WHY_NOT["refused"]
    house.wait(3.1)
    assert await house.gate.renewal.refusal(await house.permit()) is None


async def test_what_was_held_back_gives_its_request_back_and_counts_as_never_permitted(house: House) -> None:
    house.offer(2)
    first, second = (await house.fetch(2)).permits
    level, taken = house.level(), int(house.bucket()["taken"])
    await heard(house, first)
    await house.finish([second], fault(FaultKind.INTERNAL))
    assert (house.level(), int(house.bucket()["taken"])) == (level + 1, taken - 1)


async def test_a_job_that_is_refused_again_and_again_holds_nobody_back(house: House) -> None:
    """It may be too large for the limit: others go through beside it."""
    house.offer(2)
    first, second = (await house.fetch(2)).permits
    await heard(house, first, before=FaultKind.RATE_LIMITED)
    assert await house.gate.renewal.refusal(second) is None


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.TIMED_OUT, FaultKind.INTERNAL])
async def test_other_faults_hold_nothing_back(house: House, kind: FaultKind) -> None:
    house.offer(2)
    first, second = (await house.fetch(2)).permits
    await heard(house, first, fault(kind))
    assert await house.gate.renewal.refusal(second) is None


async def test_refusals_of_one_moment_are_told_once_and_a_later_one_anew() -> None:
    told, now = list[tuple[str, float]](), 1.0

    async def rest(bucket: str, seconds: float) -> None:
        told.append((bucket, seconds))

    refused = RefusedBuckets(rest, lambda: now)
    refused.record(BUCKET, 0.5, 3.0)
    refused.record(BUCKET, 0.6, 4.0)
    assert refused.hold(BUCKET, 1e9)  # Redis may give it still
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    refused.record(BUCKET, 0.9, 4.0)
    refused.record(BUCKET, 1.1, 5.0)
    await asyncio.sleep(0)
    assert told == [(BUCKET, 3.0), (BUCKET, 5.0)]


async def test_while_redis_is_away_permits_are_held_back_all_the_same() -> None:
    async def rest(_bucket: str, _seconds: float) -> None:
        raise QueueUnavailable("redis", "it is away")

    refused = RefusedBuckets(rest, lambda: 1.0)
    refused.record(BUCKET, 0.5, 3.0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert refused.hold(BUCKET, 0.9)
    assert not refused.hold(BUCKET, 1.1)
