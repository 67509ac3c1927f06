"""Many waiters share one question, and each hears of its own job."""

import asyncio
from threading import Event

import pytest

from holdfast.client.state_poller import StatePoller
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import State


class Jobs:
    def __init__(self, **states: State) -> None:
        self.states, self.questions, self.away = states, 0, 0
        self.asked = Event()
        self.watch = StatePoller(self.ask, tick=0.001)

    def ask(self, ids):
        self.questions += 1
        self.asked.set()
        if self.away:
            self.away -= 1
            raise StorageUnavailable("sqlite:///x", "restarting")
        return {id_: self.states[id_] for id_ in ids if id_ in self.states}


async def test_a_hundred_waiters_cost_one_question() -> None:
    jobs = Jobs(**{f"j{n}": State.SUCCEEDED for n in range(100)})
    ended = await asyncio.gather(*(jobs.watch.ended(f"j{n}") for n in range(100)))
    assert set(ended) == {State.SUCCEEDED}
    assert jobs.questions == 1


async def test_a_waiter_hears_when_its_job_ends() -> None:
    jobs = Jobs(a=State.RUNNING)
    waiting = asyncio.create_task(jobs.watch.ended("a", 10))
    await asyncio.to_thread(jobs.asked.wait, 10)
    jobs.states["a"] = State.DEAD
    assert await waiting is State.DEAD


async def test_patience_ends_with_none_and_the_poll_ends_too() -> None:
    jobs = Jobs(a=State.RUNNING)
    assert await jobs.watch.ended("a", 0.01) is None
    await asyncio.wait_for(jobs.watch._poll, 10)


async def test_an_unknown_job_ends_the_wait() -> None:
    assert await Jobs().watch.ended("nobody") is None


async def test_a_storage_that_is_away_is_waited_for(monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.state_poller.OUTAGE_PAUSE", 0.001)
    jobs = Jobs(a=State.SUCCEEDED)
    jobs.away = 2
    assert await jobs.watch.ended("a", 10) is State.SUCCEEDED


async def test_a_bug_reaches_those_who_wait() -> None:
    def broken(_ids):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await StatePoller(broken).ended("a", 10)
