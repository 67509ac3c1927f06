"""Many waiters share one question, and each hears of its own job."""

import asyncio
from functools import partial
from threading import Event

import pytest

from holdfast.client.end_poller import EndPoller, ended_states
from holdfast.model.errors import NotFound, StorageUnavailable
from holdfast.model.job import State


class Hints:
    """Hints that a test gives by hand."""

    def start(self) -> None: ...

    async def close(self) -> None: ...


class Jobs:
    def __init__(
        self, tick: float = 0.001, hints=lambda _hear: None, *, is_quick: bool = False, **states: State
    ) -> None:
        self.states, self.questions, self.away = states, 0, 0
        self.asked, self.ids = Event(), list[list[str]]()
        self.watch = EndPoller(partial(ended_states, self.ask), tick=tick, hints=hints, is_quick=is_quick)

    def ask(self, ids):
        self.questions += 1
        self.ids.append(sorted(ids))
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


async def test_a_job_that_is_not_there_ends_the_wait() -> None:
    with pytest.raises(NotFound, match="nobody"):
        await Jobs().watch.ended("nobody")


async def test_a_job_that_goes_while_it_is_waited_for_ends_the_wait() -> None:
    jobs = Jobs(a=State.DEAD, b=State.RUNNING)
    waiting = asyncio.create_task(jobs.watch.ended("b", 10))
    await asyncio.to_thread(jobs.asked.wait, 10)
    del jobs.states["b"]
    with pytest.raises(NotFound, match="b in this storage"):
        await waiting


async def test_a_storage_that_is_away_is_waited_for(monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.end_poller.OUTAGE_PAUSE", 0.001)
    jobs = Jobs(a=State.SUCCEEDED)
    jobs.away = 2
    assert await jobs.watch.ended("a", 10) is State.SUCCEEDED


async def test_a_bug_reaches_those_who_wait() -> None:
    def broken(_ids):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await EndPoller(broken).ended("a", 10)


NEVER = 3_600.0  # seconds: what comes before that came by a hint


def hinted(*, is_quick: bool = False, **states: State) -> Jobs:
    return Jobs(tick=NEVER, hints=lambda _hear: Hints(), is_quick=is_quick, **states)


async def asked(jobs: Jobs, questions: int) -> None:
    """Let the poller go on until it has asked so often."""
    async with asyncio.timeout(20):
        while jobs.questions < questions:
            await asyncio.to_thread(jobs.asked.wait, 0.01)


async def test_a_hint_is_followed_by_one_question_about_those_who_are_waited_for() -> None:
    jobs = hinted(job_a=State.RUNNING, job_b=State.RUNNING)
    waiters = [asyncio.create_task(jobs.watch.ended(job, 20)) for job in ("job_a", "job_b")]
    await asked(jobs, 1)
    jobs.states["job_a"] = State.SUCCEEDED
    jobs.watch.note_ended(["x", "y"])  # of others
    jobs.watch.note_ended(["a"])
    assert await waiters[0] is State.SUCCEEDED
    assert jobs.ids == [["job_a", "job_b"], ["job_a"]]
    waiters[1].cancel()


async def test_a_hint_that_comes_during_a_question_is_not_lost() -> None:
    jobs = hinted(job_a=State.RUNNING)
    ask = jobs.ask

    def ask_while_it_ends(ids):
        answer = ask(ids)
        jobs.states["job_a"] = State.SUCCEEDED
        if jobs.questions == 1:
            loop.call_soon_threadsafe(jobs.watch.note_ended, ["a"])
        return answer

    loop, jobs.watch._ends = asyncio.get_running_loop(), partial(ended_states, ask_while_it_ends)
    assert await jobs.watch.ended("job_a", 20) is State.SUCCEEDED
    assert jobs.questions == 2


async def test_lost_hints_cost_a_moment() -> None:
    jobs = Jobs(tick=0.01, hints=lambda _hear: Hints(), job_a=State.RUNNING)
    waiting = asyncio.create_task(jobs.watch.ended("job_a", 20))
    await asked(jobs, 1)
    jobs.states["job_a"] = State.SUCCEEDED
    assert await waiting is State.SUCCEEDED


async def test_a_waiter_that_is_cancelled_is_forgotten() -> None:
    jobs = hinted(job_a=State.RUNNING)
    waiting = asyncio.create_task(jobs.watch.ended("job_a"))
    await asked(jobs, 1)
    assert jobs.watch.waiting == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert jobs.watch.waiting == 0
    await jobs.watch.close()


async def test_a_storage_that_is_away_when_a_hint_comes_is_asked_again(monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.end_poller.OUTAGE_PAUSE", 0.001)
    jobs = hinted(job_a=State.RUNNING)
    waiting = asyncio.create_task(jobs.watch.ended("job_a", 20))
    await asked(jobs, 1)
    jobs.states["job_a"], jobs.away = State.SUCCEEDED, 2
    jobs.watch.note_ended(["a"])
    assert await waiting is State.SUCCEEDED


async def test_a_new_job_is_asked_for_when_a_hint_says_that_it_has_ended() -> None:
    jobs = hinted(job_a=State.SUCCEEDED, job_b=State.RUNNING)
    assert await jobs.watch.ended("job_a", 20, is_new=True) is State.SUCCEEDED  # nobody listened before
    waiting = asyncio.create_task(jobs.watch.ended("job_b", 20, is_new=True))
    while jobs.watch.waiting == 0:  # noqa: ASYNC110 - it begins in this very turn of the loop
        await asyncio.sleep(0)
    jobs.states["job_b"] = State.SUCCEEDED
    jobs.watch.note_ended(["b"])
    assert await waiting is State.SUCCEEDED
    assert jobs.ids == [["job_a"], ["job_b"]]


async def test_the_end_of_a_new_job_that_was_heard_before_anybody_waited_is_asked_for_at_once() -> None:
    jobs = hinted(job_a=State.SUCCEEDED, job_b=State.SUCCEEDED)
    await jobs.watch.ended("job_a", 20)
    jobs.watch.note_ended(["b"])
    assert await jobs.watch.ended("job_b", 20, is_new=True) is State.SUCCEEDED


async def test_of_ends_for_which_nobody_waited_the_latest_are_remembered(monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.end_poller.MOST_HINTED", 2)
    jobs = hinted()
    jobs.watch.note_ended(["a", "b", "c"])
    assert list(jobs.watch._hinted) == ["job_b", "job_c"]


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass between two hints."""
    monkeypatch.setattr("holdfast.client.end_poller.APART", NEVER)


async def ended_by_hints(jobs: Jobs, *hints: list[str]) -> int:
    """End all jobs, hint at them, and return how many questions were asked by then, before any thread ran."""
    waiters = [asyncio.create_task(jobs.watch.ended(job, 20)) for job in jobs.states]
    await asked(jobs, 1)
    async with asyncio.timeout(20):
        while jobs.watch._is_asking:
            await asyncio.to_thread(jobs.asked.wait, 0.01)
    jobs.states.update(dict.fromkeys(jobs.states, State.SUCCEEDED))
    for hint in hints:
        jobs.watch.note_ended(hint)
    at_once = jobs.questions
    assert set(await asyncio.gather(*waiters)) == {State.SUCCEEDED}
    return at_once - 1


async def test_where_a_look_is_quick_a_job_is_asked_for_as_soon_as_its_end_is_heard(standing) -> None:
    assert await ended_by_hints(hinted(job_a=State.RUNNING, is_quick=True), ["a"]) == 1
    assert await ended_by_hints(hinted(job_a=State.RUNNING), ["a"]) == 0


async def test_ends_that_come_together_are_asked_for_together(standing) -> None:
    running = {f"job_{name}": State.RUNNING for name in "abcd"}
    jobs = hinted(**running, is_quick=True)
    assert await ended_by_hints(jobs, list("abcd")) == 0
    one_by_one = hinted(**running, is_quick=True)
    assert await ended_by_hints(one_by_one, ["a"], ["b"], ["c"], ["d"]) == 1
    assert one_by_one.ids[1:] == [["job_a"], ["job_b", "job_c", "job_d"]]


async def test_a_quick_look_that_fails_is_repeated_where_that_is_dealt_with(monkeypatch, standing) -> None:
    monkeypatch.setattr("holdfast.client.end_poller.OUTAGE_PAUSE", 0.001)
    jobs = hinted(job_a=State.RUNNING, is_quick=True)
    ask = jobs.ask

    def fail_once(ids):
        if jobs.states["job_a"] is State.SUCCEEDED and jobs.questions == 1:
            jobs.away = 1
        return ask(ids)

    jobs.watch._ends = partial(ended_states, fail_once)
    assert await ended_by_hints(jobs, ["a"]) == 1
    assert jobs.ids == [["job_a"]] * 3
