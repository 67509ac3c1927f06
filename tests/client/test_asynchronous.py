"""The async twin has the same names and the same meaning, and its waits hold no threads."""

import asyncio

import pytest

from holdfast.client import AsyncHoldfast, StillWaiting
from holdfast.model.errors import NotFound
from holdfast.model.job import State
from producing import StandInWorker


@pytest.fixture
async def hf(settings):
    async with AsyncHoldfast(settings) as holdfast:
        yield holdfast


@pytest.fixture
def worker(hf: AsyncHoldfast) -> StandInWorker:
    return StandInWorker(hf.sync.backend.installation.ready())


async def test_a_batch_streams_its_answers(hf: AsyncHoldfast, worker: StandInWorker) -> None:
    batch = await hf.submit(["a", {"prompt": "b"}], model="smart")
    worker.answer()
    assert [answer.text async for answer in batch.results(timeout=120)] == ["A", "B"]
    assert [answer.text async for answer in hf.results(batch.id, ordered=False, timeout=120)] == ["A", "B"]
    assert await batch.wait(120) == {State.SUCCEEDED: 2}


async def test_a_thousand_waits_at_once(hf: AsyncHoldfast, worker: StandInWorker) -> None:
    batch = await hf.submit([f"prompt {n}" for n in range(1_000)], model="smart")
    waits = [asyncio.create_task(job.wait(120)) for job in batch.jobs]
    await asyncio.to_thread(worker.answer)
    assert [answer.text for answer in await asyncio.gather(*waits)] == [f"PROMPT {n}" for n in range(1_000)]


async def test_ask_waits_for_the_reply(hf: AsyncHoldfast, worker: StandInWorker) -> None:
    asking = asyncio.create_task(hf.ask("hello", model="smart", timeout=120))
    while not await asyncio.to_thread(worker.answer, "smart.interactive"):
        pass
    assert (await asking).text == "HELLO"


async def test_patience_ends_and_the_job_goes_on(hf: AsyncHoldfast) -> None:
    job = await hf.submit("a", model="smart")
    with pytest.raises(StillWaiting, match="It goes on"):
        await job.wait(0.02)
    assert await hf.result(job) is None
    assert await hf.cancel(job.id) is State.CANCELLED
    assert (await job.wait(120)).status is State.CANCELLED


async def test_an_unknown_job_is_not_found(hf: AsyncHoldfast) -> None:
    with pytest.raises(NotFound):
        await hf.wait("job_" + "0" * 32, 5)
