"""What the fleet remembers of calls, so that one job's failure can be held against what others' calls came to."""

from dataclasses import replace

import pytest

from attempts import a_claim, ended
from holdfast.lanes.evidence import MEMORY
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Evidence, FaultKind
from holdfast.model.job import Need, Offer, Permit
from holdfast.policy.comparison import LATELY, Comparison
from lanes_twin import LANE, House, fault, plan, reply, route

SCOPE = "route:anthropic/opus"


def call(house: House, permit: Permit, answer, *, job: str = "", seconds: float = 1.0, own: bool = False) -> Attempt:
    """A call that took so long and ends now."""
    permit = replace(permit, job=job or permit.job)
    attempt = ended(a_claim(permit), permit, answer, seconds=seconds)
    return replace(attempt, ended_at=house.now, is_own=own)


async def finish(house: House, answer, **more) -> Attempt:
    house.offer(1)
    attempt = call(house, await house.permit(), answer, **more)
    await house.gate.finish([attempt])
    return attempt


async def test_without_calls_there_is_nothing_to_compare_with(house: House) -> None:
    house.offer(1)
    failed = call(house, await house.permit(), fault())
    assert await house.gate.comparison(failed) == Comparison("main", house.now - 1.0)


async def test_replies_of_other_jobs_are_told_to_every_process(house: House) -> None:
    house.offer(1)
    permit = await house.permit()
    house.wait(5)
    await finish(house, reply(), seconds=2.0)
    found = await house.another_gate().comparison(call(house, permit, fault(), seconds=5.0))
    assert found == Comparison("main", house.now - 5.0, house.now - 2.0, house.now)
    assert found.others_succeed


async def test_an_older_reply_does_not_hide_a_newer_one(house: House) -> None:
    await finish(house, reply(), seconds=1.0)
    newest = house.now - 1.0
    house.wait(1)
    late = await finish(house, reply(), seconds=60.0)
    assert (await house.gate.comparison(late)).reply_sent == newest


async def test_a_job_is_held_against_its_first_failure(house: House) -> None:
    first = await finish(house, fault(), job="a" * 32)
    since = house.now - 1.0
    house.wait(60)
    again = call(house, first.permit, fault(), job="a" * 32)
    assert (await house.gate.comparison(again)).failing_since == since
    other = call(house, first.permit, fault(), job="b" * 32)
    assert (await house.gate.comparison(other)).failing_since == house.now - 1.0


async def test_a_replayed_job_and_one_that_failed_long_ago_are_judged_anew(house: House) -> None:
    first = await finish(house, fault())
    replayed = replace(first, job=replace(first.job, generation=2), ended_at=house.now + 5)
    assert (await house.gate.comparison(replayed)).failing_since == house.now + 4
    house.wait(MEMORY + 1)
    assert (await house.gate.comparison(replace(first, ended_at=house.now))).failing_since == house.now - 1.0


async def test_others_that_fail_since_the_last_reply_are_counted(house: House) -> None:
    await finish(house, fault())
    house.wait(5)
    await finish(house, reply())
    house.wait(5)
    mine = await finish(house, fault())
    assert (await house.gate.comparison(mine)).others_failing == 0
    for _ in range(2):
        await finish(house, fault())
    found = await house.gate.comparison(mine)
    assert (found.others_failing, found.others_lately) == (2, 2)
    house.wait(LATELY)
    assert (await house.gate.comparison(mine)).others_lately == 0


async def test_each_credential_is_compared_by_itself(house: House) -> None:
    house.plan = plan(route(credentials=("main", "spare")))
    await finish(house, reply())
    house.offer(1)
    permit = replace(await house.permit(), credential="spare")
    assert (await house.gate.comparison(call(house, permit, fault()))).reply_sent is None


async def test_a_lost_redis_has_nothing_to_compare_with(house: House) -> None:
    failed = await finish(house, fault())
    await finish(house, reply())
    house.redis.flushall()
    assert await house.gate.comparison(failed) == Comparison("main", house.now - 1.0)


@pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.MODEL_NOT_FOUND, FaultKind.SPEND_LIMIT])
async def test_one_job_s_refusals_shut_nothing_and_those_of_two_do(house: House, kind: FaultKind) -> None:
    for _ in range(3):
        await finish(house, fault(kind), job="a" * 32)
    house.offer(2)
    permits = (await house.fetch(2)).permits
    assert len(permits) == 2
    await house.gate.finish([call(house, permit, fault(kind)) for permit in permits])
    house.offer(1)
    assert (await house.fetch(1)).permits == []


async def test_a_code_that_stands_in_a_table_parks_at_once(house: House) -> None:
    await finish(house, fault(FaultKind.MODEL_NOT_FOUND, evidence=Evidence.CODE))
    assert house.breaker(SCOPE)["state"] == "open"


async def test_a_failure_of_its_job_alone_reaches_no_breaker(house: House) -> None:
    for _ in range(20):
        await finish(house, fault(), own=True)
    assert house.breaker(SCOPE).get("state", "closed") == "closed"


async def test_the_job_whose_probe_failed_lets_another_one_probe(house: House) -> None:
    await house.break_down()
    house.wait(60)
    first, second = house.offer(2)
    probe = await house.permit()
    assert (probe.job, probe.probe) == (first, True)
    await house.gate.finish([call(house, probe, fault())])
    house.lanes.offer([Offer(first, LANE, Need(100, 100))])  # it is older, so it goes before the other one
    house.wait(60)
    again = await house.permit()
    assert (again.job, again.probe) == (second, True)
