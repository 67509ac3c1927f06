"""Waiting for jobs, written once for sync and async callers.

A wait is a generator that yields the seconds it would like to sleep and returns what was waited for; a stream of
answers yields those among the pauses. Who drives it sleeps as it can: ``time.sleep`` or ``asyncio.sleep``.
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from holdfast.client.answer import Answer
from holdfast.client.backend import Backend
from holdfast.client.errors import ServerUnavailable, StillWaiting
from holdfast.model.errors import StorageUnavailable
from holdfast.model.ids import public_id
from holdfast.model.job import LIVE

FIRST_PAUSE, WIDEST_PAUSE, GROWTH = 0.02, 1.0, 1.5  # seconds between two questions; a factor
REST_FACTOR = 4  # times as long as the last questions took: a wait takes a fifth of a thread at most
OUTAGE = 60.0  # seconds for which a wait rides over a storage or server that does not answer
PAGE = 500  # finished jobs in one question

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pause:
    """Please sleep this long, then ask on."""

    seconds: float


Waiting = Generator[Pause, None, T]
Stream = Generator[Pause | Answer, None, None]


class PollSchedule:
    """How long to pause next: short at first and after news, longer while nothing happens or questions are slow."""

    def __init__(self, name: str, timeout: float | None) -> None:
        self._name, self._timeout, self._started = name, timeout, time.monotonic()
        self._pause = FIRST_PAUSE
        self._spent = 0.0  # seconds that questions took since the last pause
        self._silent_since: float | None = None

    def news(self) -> None:
        """Something came: ask again soon."""
        self._pause = FIRST_PAUSE

    def pause(self) -> Pause:
        """Return the next pause, never past the end of the caller's patience. Raises StillWaiting."""
        left = float("inf")
        if self._timeout is not None:
            left = self._started + self._timeout - time.monotonic()
            if left <= 0:
                raise StillWaiting(self._name, self._timeout)
        seconds = max(self._pause, self._spent * REST_FACTOR)
        self._pause, self._spent = min(WIDEST_PAUSE, self._pause * GROWTH), 0.0
        return Pause(min(seconds, left))

    def ask(self, question: Callable[[], T]) -> Waiting[T]:
        """Ask until there is an answer: an outage of less than a minute is ridden over."""
        while True:
            started = time.monotonic()
            try:
                answer = question()
            except (StorageUnavailable, ServerUnavailable):
                self._silent_since = self._silent_since or started
                if started - self._silent_since > OUTAGE:
                    raise
            else:
                self._silent_since = None
                self._spent += time.monotonic() - started
                return answer
            yield self.pause()


def ended(backend: Backend, job: str, timeout: float | None = None) -> Waiting[Answer]:
    """Wait for one job. Raises StillWaiting, NotFound."""
    schedule = PollSchedule(public_id("job", job), timeout)
    while True:
        states = yield from schedule.ask(partial(backend.states, [job]))
        if states.get(job) not in LIVE:  # ended, or unknown: then ``answer`` raises NotFound
            answer = yield from schedule.ask(partial(backend.answer, job))
            if answer is not None:
                return answer
        yield schedule.pause()


def all_ended(backend: Backend, batch: str, timeout: float | None = None) -> Waiting[None]:
    """Wait for a whole batch. Raises StillWaiting, NotFound."""
    schedule = PollSchedule(public_id("batch", batch), timeout)
    while (yield from schedule.ask(partial(live, backend, batch))):
        yield schedule.pause()


def live(backend: Backend, batch: str) -> int:
    return sum(count for state, count in backend.counts(batch).items() if state in LIVE)


def in_order(backend: Backend, batch: str, timeout: float | None = None) -> Stream:
    """Yield a batch's answers in input order, each as soon as all before it have ended."""
    schedule, due = PollSchedule(public_id("batch", batch), timeout), 0
    while True:
        at_rest = not (yield from schedule.ask(partial(live, backend, batch)))  # asked first: the page is then complete
        page = yield from schedule.ask(partial(backend.finished, batch, due - 1, PAGE))
        ready = page if at_rest else unbroken(page, due)
        for position, answer in ready:
            yield answer
            due = position + 1
        if ready:
            schedule.news()
        elif at_rest:
            return
        else:
            yield schedule.pause()


def unbroken(page: Sequence[tuple[int, Answer]], due: int) -> list[tuple[int, Answer]]:
    """Cut a page where the first position is missing: that job, or a line that never became one, may still come."""
    return [(position, answer) for index, (position, answer) in enumerate(page) if position == due + index]


def as_they_end(backend: Backend, batch: str, timeout: float | None = None) -> Stream:
    """Yield a batch's answers as they come. Each pass starts where no answer is missing below."""
    schedule, seen, low = PollSchedule(public_id("batch", batch), timeout), set[int](), -1
    while True:
        at_rest = not (yield from schedule.ask(partial(live, backend, batch)))
        cursor = low
        while page := (yield from schedule.ask(partial(backend.finished, batch, cursor, PAGE))):
            for position, answer in page:
                if position not in seen:
                    seen.add(position)
                    schedule.news()
                    yield answer
            cursor = page[-1][0]
        if at_rest:
            return
        while low + 1 in seen:
            low += 1
            seen.remove(low)
        yield schedule.pause()
