"""A wait of years is not slept through: one call asks, ever more seldom, until a reply ends it."""

import pytest

from holdfast.model.fault import FaultKind
from holdfast.model.job import Permit
from holdfast.policy.rate_limit import FIRST_REST, LONGEST_REST
from lanes_twin import House, fault, reply

LIMITED = fault(FaultKind.RATE_LIMITED, retry_after=999_999_999.0)


async def after(house: House, seconds: float) -> list[Permit]:
    """The permits that three waiting jobs get once so much time has passed."""
    house.wait(seconds)
    return (await house.fetch(3)).permits


async def test_one_odd_wait_costs_seconds_and_not_a_day(house: House) -> None:
    house.offer(4)
    await house.finish([await house.permit()], LIMITED)
    assert await after(house, FIRST_REST - 1) == []
    (probe,) = await after(house, 1.1)
    await house.finish([probe], reply())
    assert len((await house.fetch(3)).permits) == 2


async def test_while_it_is_said_again_one_call_asks_ever_more_seldom(house: House) -> None:
    house.offer(20)
    await house.finish([await house.permit()], LIMITED)
    rest, rests = FIRST_REST, []
    while rest < LONGEST_REST:
        assert await after(house, rest - 0.5) == []
        (probe,) = await after(house, 0.6)
        await house.finish([probe], LIMITED)
        rests.append(rest)
        rest = min(LONGEST_REST, 2 * rest)
    assert rests == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0]


async def test_a_call_that_asks_and_never_comes_back_is_followed_by_another(house: House) -> None:
    house.offer(4)
    await house.finish([await house.permit()], LIMITED)
    assert len(await after(house, FIRST_REST + 0.1)) == 1
    assert await after(house, FIRST_REST) == []
    assert len(await after(house, FIRST_REST + 0.1)) == 1


async def test_an_operator_ends_it(house: House) -> None:
    house.offer(3)
    await house.finish([await house.permit()], LIMITED)
    house.lanes.reset("anthropic/opus")
    assert len((await house.fetch(3)).permits) == 2


@pytest.mark.parametrize("seconds", [1.0, 599.0])
async def test_a_wait_that_is_believed_is_waited_for(house: House, seconds: float) -> None:
    house.offer(3)
    await house.finish([await house.permit()], fault(FaultKind.RATE_LIMITED, retry_after=seconds))
    assert await after(house, seconds - 0.5) == []
    assert len(await after(house, 0.6)) == 2
