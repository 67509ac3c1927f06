"""A process asks for no more permits than it can soon use."""

import asyncio

import pytest

from holdfast.worker.call_slots import STARTING, WORTH_A_FETCH, CallSlots

NAMES = [f"w/1:{n}" for n in range(STARTING)]


@pytest.fixture
def slots() -> CallSlots:
    made = CallSlots(10 * STARTING)
    made.take(STARTING)
    made.starting(NAMES, is_awaited=False)
    return made


def test_while_many_calls_are_about_to_leave_no_permit_is_wanted(slots: CallSlots) -> None:
    assert slots.wanted(is_awaited=False) == 0


def test_permits_are_wanted_again_when_enough_calls_have_left(slots: CallSlots) -> None:
    for name in NAMES[: WORTH_A_FETCH - 1]:
        slots.left(name)
    assert slots.wanted(is_awaited=False) == 0
    slots.left(NAMES[-1])
    assert slots.wanted(is_awaited=False) == WORTH_A_FETCH


async def test_the_fetcher_is_woken_when_permits_are_wanted_again(slots: CallSlots) -> None:
    for name in NAMES[:WORTH_A_FETCH]:
        slots.left(name)
    await slots.changed(at_most=1_000)


def test_calls_of_a_batch_that_are_about_to_leave_keep_none_back_that_somebody_waits_for(slots: CallSlots) -> None:
    assert slots.wanted(is_awaited=True) == STARTING
    slots.starting([f"awaited {name}" for name in NAMES], is_awaited=True)
    assert slots.wanted(is_awaited=True) == 0


async def test_a_rest_ends_early_for_a_job_that_somebody_waits_for_and_for_no_other(slots: CallSlots) -> None:
    rest = asyncio.create_task(slots.rest(1_000))
    slots.wake()
    await asyncio.wait({rest}, timeout=0)
    assert not rest.done()
    slots.wake(hurry=True)
    await rest


async def test_a_fetcher_that_was_told_to_hurry_before_its_rest_takes_none(slots: CallSlots) -> None:
    slots.wake(hurry=True)
    await slots.rest(1_000)
    rest = asyncio.create_task(slots.rest(1_000))
    await asyncio.wait({rest}, timeout=0)
    assert rest.cancel()


def test_a_call_that_left_and_then_ended_is_counted_once(slots: CallSlots) -> None:
    for name in NAMES[:WORTH_A_FETCH]:
        slots.left(name)
        slots.left(name)
    assert slots.wanted(is_awaited=False) == WORTH_A_FETCH


def test_no_more_is_wanted_than_there_are_places() -> None:
    assert CallSlots(7).wanted(is_awaited=True) == 7


@pytest.mark.parametrize(("taken", "is_news"), [(7, True), (6, False)])
async def test_a_slot_that_comes_free_is_news_where_there_was_none(taken: int, *, is_news: bool) -> None:
    slots = CallSlots(7)
    slots.take(taken)
    slots.give_back()
    woken = asyncio.create_task(slots.changed(1_000))
    await asyncio.wait({woken}, timeout=0)
    assert woken.done() is is_news
    woken.cancel()
