"""What a dead worker held is freed, and nothing that another holds."""

import pytest

from holdfast.policy.admission import Reason
from lanes_twin import House


@pytest.fixture
async def broken(house: House) -> House:
    """A house whose route's breaker is open."""
    await house.break_down()
    return house


async def test_the_late_release_of_a_worker_leaves_the_probe_of_another_alone(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    first = await broken.permit("w1")
    broken.wait(25.0)
    second = await broken.permit("w2")
    assert (first.probe, second.probe) == (True, True)
    await broken.gate.release("w1")
    fetched = await broken.fetch(5, "w3")
    assert (fetched.permits, fetched.reason) == ([], Reason.BREAKER)
    await broken.gate.release("w2")
    assert (await broken.permit("w3")).probe
