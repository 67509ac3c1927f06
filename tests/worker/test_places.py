"""A process asks for no more permits than it can soon use."""

import pytest

from holdfast.worker.places import STARTING, WORTH_A_FETCH, Places

NAMES = [f"w/1:{n}" for n in range(STARTING)]


@pytest.fixture
def places() -> Places:
    made = Places(10 * STARTING)
    made.take(STARTING)
    made.starting(NAMES)
    return made


def test_while_many_calls_are_about_to_leave_no_permit_is_wanted(places: Places) -> None:
    assert places.wanted == 0


def test_permits_are_wanted_again_when_enough_calls_have_left(places: Places) -> None:
    for name in NAMES[: WORTH_A_FETCH - 1]:
        places.left(name)
    assert places.wanted == 0
    places.left(NAMES[-1])
    assert places.wanted == WORTH_A_FETCH


async def test_the_fetcher_is_woken_when_permits_are_wanted_again(places: Places) -> None:
    for name in NAMES[:WORTH_A_FETCH]:
        places.left(name)
    await places.changed(at_most=1_000)


def test_a_call_that_left_and_then_ended_is_counted_once(places: Places) -> None:
    for name in NAMES[:WORTH_A_FETCH]:
        places.left(name)
        places.left(name)
    assert places.wanted == WORTH_A_FETCH


def test_no_more_is_wanted_than_there_are_places() -> None:
    assert Places(7).wanted == 7
