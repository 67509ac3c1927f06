"""A pool that stops ends all its parts, also those whose library swallows a cancellation."""

import asyncio

from holdfast.lanes.task_ends import ended


async def deaf(times: int) -> None:
    """Hears a cancellation only after it has swallowed so many."""
    for _ in range(times):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue
    await asyncio.Event().wait()


async def test_a_part_that_swallows_a_cancellation_is_cancelled_again() -> None:
    parts = [asyncio.create_task(deaf(times)) for times in (0, 1, 3)]
    await asyncio.sleep(0)
    await ended(parts, again=0.0)
    assert all(part.cancelled() for part in parts)


async def test_parts_that_have_ended_are_left_alone() -> None:
    part = asyncio.create_task(asyncio.sleep(0))
    await part
    await ended([part])
    assert not part.cancelled()
