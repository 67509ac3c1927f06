"""Waiting for jobs, for all waiters of an event loop at once: hints say when to ask the storage, it says what is."""

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from holdfast.client.end_hints import Hints, OnEnded
from holdfast.client.errors import ServerUnavailable
from holdfast.client.waiting import REST_FACTOR
from holdfast.model.errors import NotFound, StorageUnavailable
from holdfast.model.ids import public_id
from holdfast.model.job import LIVE, State
from holdfast.telemetry.loggers import library_logger

TICK = 0.05  # seconds between two questions about all, where nobody gives hints
FALLBACK = 1.0  # seconds between two questions about all, where hints may be lost
MOST_HINTED = 10_000  # of those for whom nobody waited
FEW = 2  # jobs of a hint that are asked for in the event loop, where a look at them is short
APART = 0.002  # seconds between two such looks: what comes sooner is asked for together
OUTAGE_PAUSE = 1.0  # seconds before the next question where the storage did not answer

log = library_logger(__name__)

E = TypeVar("E")


class EndPoller(Generic[E]):
    """Belongs to one event loop. ``ends`` tells, on a thread, how each of some jobs ended.

    It leaves out those that live, and says None of those that are not there (any more).

    A new waiter's job is asked for at once, unless it is so new that a hint of its end is yet to come; and when a hint
    says that it has ended: one question for all that came meanwhile. Every ``tick`` seconds all are asked for.
    ``hints`` makes what tells of ended jobs, where it can. ``is_quick``: to ask for a few takes less than the way to a
    thread and back, so hints that come one by one are followed by a question in the event loop.
    """

    def __init__(
        self,
        ends: Callable[[Sequence[str]], Mapping[str, E | None]],
        *,
        tick: float | None = None,
        hints: Callable[[OnEnded], Hints | None] = lambda _: None,
        is_quick: bool = False,
    ) -> None:
        self._ends = ends
        self._hints = hints(self.note_ended)
        self._is_quick, self._next_look_at = is_quick, 0.0  # on the loop's clock
        self._is_asking = False
        self._tick = tick or (FALLBACK if self._hints else TICK)
        self._waiters: dict[str, set[asyncio.Future[E]]] = defaultdict(set)
        self._due: set[str] = set()
        self._hinted: OrderedDict[str, None] = OrderedDict()  # before anybody waited for them, the latest last
        self._listens = False
        self._news = asyncio.Event()
        self._all_at = 0.0  # on the loop's clock
        self._poll: asyncio.Task[None] | None = None

    async def ended(self, job: str, timeout: float | None = None, *, is_new: bool = False) -> E | None:  # noqa: ASYNC109 - None means for ever
        """Wait until a job has ended, and return how; None when ``timeout`` passed.

        ``is_new``: it was accepted just now.
        Whoever gives up cancels: nothing is left of a waiter then.
        Raises: NotFound: there is no such job, or no more.
        """
        waiter: asyncio.Future[E] = asyncio.get_running_loop().create_future()
        self._waiters[job].add(waiter)
        if not (is_new and self._listens) or job in self._hinted:
            self._ask_soon([job])
        self._start()
        try:
            return await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return None
        finally:
            self._forget(job, waiter)

    def note_ended(self, jobs: Sequence[str]) -> None:
        """Take a hint that jobs have ended, by the ids that SQL knows them by."""
        names = [public_id("job", job) for job in jobs]
        waited_for = [name for name in names if name in self._waiters]
        if self._may_look(waited_for):
            self._look(waited_for)
        else:
            self._ask_soon(waited_for)
        self._hinted.update((name, None) for name in names if name not in self._waiters)
        while len(self._hinted) > MOST_HINTED:
            self._hinted.popitem(last=False)

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(map(len, self._waiters.values()))

    async def close(self) -> None:
        if self._hints is not None:
            await self._hints.close()
        if self._poll is not None:
            self._poll.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poll

    def _start(self) -> None:
        if self._hints is not None:
            self._hints.start()
            self._listens = True
        if self._poll is None or self._poll.done():
            self._all_at = asyncio.get_running_loop().time() + self._tick
            self._poll = asyncio.create_task(self._ask_on())

    def _ask_soon(self, jobs: Sequence[str]) -> None:
        if jobs:
            self._due.update(jobs)
            self._news.set()

    def _may_look(self, jobs: Sequence[str]) -> bool:
        """Whether to ask in the event loop; not while others are asked for, nor where ends come one upon the other."""
        if not (self._is_quick and 0 < len(jobs) <= FEW) or self._due or self._is_asking:
            return False
        return asyncio.get_running_loop().time() >= self._next_look_at

    def _look(self, jobs: Sequence[str]) -> None:
        """Ask in the event loop. What goes wrong is met where it is asked again, on a thread."""
        try:
            self._tell(self._ends(jobs))
        except Exception:  # noqa: BLE001 - whatever it is
            self._ask_soon(jobs)
        self._next_look_at = asyncio.get_running_loop().time() + APART

    def _forget(self, job: str, waiter: asyncio.Future[E]) -> None:
        self._waiters[job].discard(waiter)
        if not self._waiters[job]:
            del self._waiters[job]

    async def _ask_on(self) -> None:
        """Ask while anybody waits."""
        while self._waiters:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._all_at):
                    await self._news.wait()
            await self._ask_due()

    async def _ask_due(self) -> None:
        """Ask for those that a hint or a waiter named, or for all when it is time for that."""
        clock = asyncio.get_running_loop().time
        started, self._due, due = clock(), set(), self._due
        self._news.clear()
        all_due = started >= self._all_at
        asked = list(self._waiters) if all_due else [job for job in due if job in self._waiters]
        answered = await self._ask(asked) if asked else True
        if all_due or not answered:
            rest = max(self._tick, (clock() - started) * REST_FACTOR) if answered else OUTAGE_PAUSE
            self._all_at = clock() + rest

    async def _ask(self, jobs: Sequence[str]) -> bool:
        """Ask for jobs, resume those who wait for one that has ended. False: the storage does not answer."""
        self._is_asking = True
        try:
            ends = await asyncio.to_thread(self._ends, jobs)
        except (StorageUnavailable, ServerUnavailable) as error:
            log.info("waiting on: %s", error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the waiters' to know
            for job in jobs:
                self._fail(job, error)
            return True
        finally:
            self._is_asking = False
        self._tell(ends)
        return True

    def _tell(self, ends: Mapping[str, E | None]) -> None:
        for job, end in ends.items():
            if end is None:
                self._fail(job, NotFound("job", job))
            else:
                self._resolve(job, end)

    def _resolve(self, job: str, end: E) -> None:
        for waiter in self._waiters.get(job, ()):
            if not waiter.done():
                waiter.set_result(end)

    def _fail(self, job: str, error: Exception) -> None:
        for waiter in self._waiters.get(job, ()):
            if not waiter.done():
                waiter.set_exception(error)


def ended_states(
    states: Callable[[Sequence[str]], Mapping[str, State]], jobs: Sequence[str]
) -> Mapping[str, State | None]:
    """Return the states of those of ``jobs`` that have ended. ``states`` answers that of each job that is there."""
    found = states(jobs)
    return {job: found.get(job) for job in jobs if found.get(job) not in LIVE}
