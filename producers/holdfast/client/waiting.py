"""Waiting and paging, written once for synchronous and asynchronous callers.

A wait is a generator that yields the pauses it would like to make and returns what was waited for; a stream of answers
yields those among the pauses. The driver sleeps: ``drive`` with ``time.sleep``, the asyncio client on its loop, a
command while it looks after its workers.
"""

import time
from collections.abc import Callable, Container, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from holdfast.client.answer import Answer
from holdfast.client.backend import Backend
from holdfast.client.errors import ServerUnavailable, StillWaiting
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import LIVE

FIRST_PAUSE, WIDEST_PAUSE, GROWTH = 0.02, 1.0, 1.5  # seconds between two questions; a factor
REST_FACTOR = 4  # pauses last so many times as long as the questions before: a wait takes a fifth of a thread at most
OUTAGE = 60.0  # seconds for which a wait rides over a storage or server that does not answer
PAGE = 500  # finished jobs in one question

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pause:
    """A request to sleep for ``seconds`` before the generator is resumed."""

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
        """Make the next pause short again: something came."""
        self._pause = FIRST_PAUSE

    def pause(self) -> Pause:
        """Return the next pause, never past the caller's time-out. Raises StillWaiting."""
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


class PlainSleeper:
    """Sleeps where nothing tells that a job has ended."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None: ...


def drive(steps: Waiting[T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a wait to its end and return what was waited for."""
    while True:
        try:
            sleep(next(steps).seconds)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # a generator's return value is untyped here


def ended(backend: Backend, job: str, timeout: float | None = None) -> Waiting[Answer]:
    """Wait for one job. Raises StillWaiting, NotFound."""
    schedule = PollSchedule(job, timeout)
    while True:
        states = yield from schedule.ask(partial(backend.states, [job]))
        if states.get(job) not in LIVE:  # ended, or unknown: then ``answer`` raises NotFound
            answer = yield from schedule.ask(partial(backend.answer, job))
            if answer is not None:
                return answer
        yield schedule.pause()


def all_ended(backend: Backend, batch: str, timeout: float | None = None) -> Waiting[None]:
    """Wait for a whole batch. Raises StillWaiting, NotFound."""
    schedule = PollSchedule(batch, timeout)
    while (yield from schedule.ask(partial(live, backend, batch))):
        yield schedule.pause()


def live(backend: Backend, batch: str) -> int:
    """Count the jobs of a batch that have not ended."""
    return sum(count for state, count in backend.counts(batch).items() if state in LIVE)


def finished(backend: Backend, batch: str, after: int) -> list[tuple[int, Answer]]:
    """Return positions and answers of ended jobs beyond position ``after``."""
    return [(line.pop("position"), Answer.read(line)) for line in backend.results(batch, after, PAGE)["results"]]


def positioned(
    backend: Backend,
    batch: str,
    timeout: float | None = None,
    gaps: Container[int] = (),
    read: Callable[[Backend, str, int], Sequence[tuple[int, T]]] = finished,  # type: ignore[assignment] # T is Answer then
) -> Generator[Pause | tuple[int, T], None, None]:
    """Yield positions and answers in input order, each as soon as all before it have ended.

    ``read`` reads a page of them, of those beyond a position: as Answers, or as a caller wants them.

    Positions in ``gaps`` never become jobs. At another missing one the stream waits, for that job may still come; only
    when the whole batch has ended are positions passed over.
    """
    schedule, due = PollSchedule(batch, timeout), 0
    while True:
        at_rest = not (yield from schedule.ask(partial(live, backend, batch)))  # asked first: the page is then complete
        page = yield from schedule.ask(partial(read, backend, batch, due - 1))
        before = due
        for position, answer in page:
            if not at_rest and any(missing not in gaps for missing in range(due, position)):
                break
            yield position, answer
            due = position + 1
        if due > before:
            schedule.news()
        elif at_rest:
            return
        else:
            yield schedule.pause()


def in_order(backend: Backend, batch: str, timeout: float | None = None) -> Stream:
    """Yield a batch's answers in input order."""
    steps: Generator[Pause | tuple[int, Answer], None, None] = positioned(backend, batch, timeout)
    for step in steps:
        yield step if isinstance(step, Pause) else step[1]


def as_they_end(backend: Backend, batch: str, timeout: float | None = None) -> Stream:
    """Yield a batch's answers as they come."""
    steps: Generator[Pause | tuple[int, Answer], None, None] = positioned_as_they_end(backend, batch, timeout)
    for step in steps:
        yield step if isinstance(step, Pause) else step[1]


def positioned_as_they_end(
    backend: Backend,
    batch: str,
    timeout: float | None = None,
    read: Callable[[Backend, str, int], Sequence[tuple[int, T]]] = finished,  # type: ignore[assignment] # T is Answer then
) -> Generator[Pause | tuple[int, T], None, None]:
    """Yield positions and answers as they come. Each pass starts where no answer is missing below."""
    schedule, seen, low = PollSchedule(batch, timeout), set[int](), -1
    while True:
        at_rest = not (yield from schedule.ask(partial(live, backend, batch)))
        cursor = low
        while page := (yield from schedule.ask(partial(read, backend, batch, cursor))):
            for position, answer in page:
                if position not in seen:
                    seen.add(position)
                    schedule.news()
                    yield position, answer
            cursor = page[-1][0]
        if at_rest:
            return
        while low + 1 in seen:
            low += 1
            seen.remove(low)
        yield schedule.pause()
