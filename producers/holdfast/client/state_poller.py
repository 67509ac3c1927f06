"""One poll of job states for all waiters of an event loop."""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from holdfast.client.errors import ServerUnavailable
from holdfast.client.waiting import REST_FACTOR
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import LIVE, State

TICK = 0.05  # seconds between two questions
OUTAGE_PAUSE = 1.0  # seconds before the next question where the storage did not answer

log = logging.getLogger(__name__)
Waiter = asyncio.Future[State | None]


class StatePoller:
    """Belongs to one event loop. ``states`` answers the state of each id that exists; it runs on a thread."""

    def __init__(self, states: Callable[[Sequence[str]], Mapping[str, State]], *, tick: float = TICK) -> None:
        self._states, self._tick = states, tick
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._poll: asyncio.Task[None] | None = None

    async def ended(self, job: str, timeout: float | None = None) -> State | None:  # noqa: ASYNC109 - None means for ever
        """Wait until a job is in a terminal state and return it; None when ``timeout`` passed or no such job is."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiters[job].add(waiter)
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._ask_on())
        try:
            return await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return None
        finally:
            self._forget(job, waiter)

    async def close(self) -> None:
        if self._poll is not None:
            self._poll.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poll

    def _forget(self, job: str, waiter: Waiter) -> None:
        self._waiters[job].discard(waiter)
        if not self._waiters[job]:
            del self._waiters[job]

    async def _ask_on(self) -> None:
        rest = 0.0
        while self._waiters:
            await asyncio.sleep(rest)
            rest = await self._ask_once()

    async def _ask_once(self) -> float:
        """Ask for all waiters, resume those whose job has ended, and return the seconds to rest."""
        asked, started = list(self._waiters), time.monotonic()
        try:
            states = await asyncio.to_thread(self._states, asked)
        except (StorageUnavailable, ServerUnavailable) as error:
            log.info("waiting on: %s", error)
            return OUTAGE_PAUSE
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the waiters' to know
            for id_ in asked:
                self._fail(id_, error)
            return self._tick
        for id_ in asked:
            state = states.get(id_)
            if state not in LIVE:
                self._resolve(id_, state)
        return max(self._tick, (time.monotonic() - started) * REST_FACTOR)

    def _resolve(self, job: str, state: State | None) -> None:
        for waiter in self._waiters.get(job, ()):
            if not waiter.done():
                waiter.set_result(state)

    def _fail(self, job: str, error: Exception) -> None:
        for waiter in self._waiters.get(job, ()):
            if not waiter.done():
                waiter.set_exception(error)
