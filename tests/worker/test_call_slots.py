"""A process asks for no more permits than it can soon use."""

import pytest

from holdfast.worker.call_slots import STARTING, WORTH_A_FETCH, CallSlots

NAMES = [f"w/1:{n}" for n in range(STARTING)]


@pytest.fixture
def slots() -> CallSlots:
    made = CallSlots(10 * STARTING)
    made.take(STARTING)
    made.starting(NAMES)
    return made


def test_while_many_calls_are_about_to_leave_no_permit_is_wanted(slots: CallSlots) -> None:
    assert slots.wanted == 0


def test_permits_are_wanted_again_when_enough_calls_have_left(slots: CallSlots) -> None:
    for name in NAMES[: WORTH_A_FETCH - 1]:
        slots.left(name)
    assert slots.wanted == 0
    slots.left(NAMES[-1])
    assert slots.wanted == WORTH_A_FETCH


async def test_the_fetcher_is_woken_when_permits_are_wanted_again(slots: CallSlots) -> None:
    for name in NAMES[:WORTH_A_FETCH]:
        slots.left(name)
    await slots.changed(at_most=1_000)


def test_a_call_that_left_and_then_ended_is_counted_once(slots: CallSlots) -> None:
    for name in NAMES[:WORTH_A_FETCH]:
        slots.left(name)
        slots.left(name)
    assert slots.wanted == WORTH_A_FETCH


def test_no_more_is_wanted_than_there_are_places() -> None:
    assert CallSlots(7).wanted == 7
