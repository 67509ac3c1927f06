"""Events for programs: pages of them read one after the other, from the last id on."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from holdfast.client.errors import ServerUnavailable
from holdfast.model.errors import StorageUnavailable
from holdfast.model.event import EventKind
from holdfast.model.fault import FaultKind
from holdfast.model.job import State

if TYPE_CHECKING:
    from holdfast.client.backend import Backend, View
    from holdfast.model.event import EventFilter

OLDEST, NEWEST = "oldest", "newest"  # as ids: before everything that is kept, and after everything until now
PAGE = 500  # events that are asked for at once
LONGEST_WAIT = 25.0  # seconds that one question may wait for an answer
SHORT_WAIT = 2.0  # the same where a program's end would wait for it
OUTAGE, OUTAGE_PAUSE = 60.0, 1.0  # seconds of silence that are ridden over; between two questions meanwhile


@dataclass(frozen=True, slots=True)
class EndEvent:
    """One end of a job or of a batch. A job that is replayed ends again, and so does its batch."""

    id: str
    """Hand it back as ``after`` to go on behind this event."""
    kind: EventKind
    """``job.succeeded``, ``job.dead``, ``job.cancelled``, ``job.expired`` or ``batch.ended``."""
    created_at: datetime
    """When it ended."""
    tenant: str
    """Whose it is."""
    batch: str | None
    """The batch that ended, or that the job belongs to."""
    job: str | None = None
    """The job that ended; None for a batch."""
    status: State | None = None
    """How the job ended."""
    custom_id: str | None = None
    """What its producer calls the job."""
    model: str | None = None
    """The model that the job asked for."""
    generation: int | None = None
    """1, and one more for each replay of the job."""
    fault: FaultKind | None = None
    """What the job died of."""
    counts: Mapping[State, int] | None = None
    """The batch's jobs by state."""

    @classmethod
    def read(cls, view: "View") -> Self:
        """Read an event of a page."""
        status, fault, counts = view.get("status"), view.get("fault"), view.get("counts")
        return cls(
            id=view["id"],
            kind=EventKind(view["kind"]),
            created_at=datetime.fromisoformat(view["created_at"]),
            tenant=view["tenant"],
            batch=view["batch"],
            job=view.get("job"),
            status=State(status) if status else None,
            custom_id=view.get("custom_id"),
            model=view.get("model"),
            generation=view.get("generation"),
            fault=FaultKind(fault) if fault else None,
            counts={State(state): count for state, count in counts.items()} if counts is not None else None,
        )


class EventStream(Iterator[EndEvent]):
    """Yields events in order, each once. ``last_id`` is what to hand back as ``after`` to go on behind the last one.

    Where it begins is settled when it is made. With ``follow`` it waits for what comes, and ends when ``timeout``
    seconds passed without an event; an outage of less than ``outage`` seconds is ridden over.

    Raises: EventsGone: some of what follows ``after`` has been deleted. NotFound, InvalidRequest.
    """

    def __init__(
        self,
        backend: "Backend",
        where: "EventFilter",
        after: str | None = None,
        *,
        follow: bool = True,
        timeout: float | None = None,
        longest_wait: float = LONGEST_WAIT,
        outage: float = OUTAGE,
    ) -> None:
        self._backend, self._where, self._follow = backend, where, follow
        self._timeout, self._longest_wait, self._outage = timeout, longest_wait, outage
        self._ready = deque["View"]()
        self._next = self.last_id = after or (NEWEST if follow else OLDEST)
        self._silent_since: float | None = None
        self._last_news = time.monotonic()
        self._take_page(0.0)

    def __next__(self) -> EndEvent:
        return EndEvent.read(self.next_view())

    def next_view(self) -> "View":
        """Return the next event as JSON has it. Raises StopIteration: there will be none."""
        while not self._ready:
            if not self.fetch():
                raise StopIteration
        return self.take()

    @property
    def is_ready(self) -> bool:
        """Whether the next event is at hand."""
        return bool(self._ready)

    def take(self) -> "View":
        """Return the next event, which is at hand."""
        event = self._ready.popleft()
        self.last_id = event["id"] if self._ready else self._next
        return event

    def fetch(self) -> bool:
        """Ask for more, and wait a while for it; False: there will be none."""
        left = self._seconds_left()
        if left <= 0:
            return False
        try:
            self._take_page(min(self._longest_wait, left) if self._follow else 0.0)
        except (StorageUnavailable, ServerUnavailable):
            now = time.monotonic()
            self._silent_since = self._silent_since or now
            if now - self._silent_since > self._outage:
                raise
            time.sleep(OUTAGE_PAUSE)
            return True
        return self._follow or bool(self._ready)

    def _take_page(self, wait: float) -> None:
        page = self._backend.events(self._where, self._next, PAGE, wait)
        self._ready.extend(page["events"])
        self._next, self._silent_since = page["next"], None
        if self._ready:
            self._last_news = time.monotonic()
        else:
            self.last_id = self._next

    def _seconds_left(self) -> float:
        """Return the seconds for which it goes on without an event."""
        return float("inf") if self._timeout is None else self._last_news + self._timeout - time.monotonic()


class AsyncEventStream(AsyncIterator[EndEvent]):
    """`EventStream` for an event loop, on a thread of its own. Where it begins is settled at its first step."""

    def __init__(self, make: Callable[[], EventStream]) -> None:
        self._make = make
        self._stream: EventStream | None = None
        self._thread = ThreadPoolExecutor(1, "holdfast-events")
        self._question: Future[bool] | None = None

    @property
    def last_id(self) -> str | None:
        """What to hand back as ``after`` to go on behind the last event; None before the first step."""
        return self._stream.last_id if self._stream is not None else None

    async def begin(self) -> Self:
        """Settle where it begins, before what is to be heard of is done."""
        await self._begun()
        return self

    async def __anext__(self) -> EndEvent:
        stream = await self._begun()
        while not stream.is_ready:
            if not await self._fetch(stream):
                await self.aclose()
                raise StopAsyncIteration
        return EndEvent.read(stream.take())

    async def aclose(self) -> None:
        """Let its thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _begun(self) -> EventStream:
        if self._stream is None:
            self._stream = await asyncio.wrap_future(self._thread.submit(self._make))
        return self._stream

    async def _fetch(self, stream: EventStream) -> bool:
        """Ask for more. A step that is cancelled leaves its question to the next one, so that no event is lost."""
        self._question = self._question or self._thread.submit(stream.fetch)
        more = await asyncio.shield(asyncio.wrap_future(self._question))
        self._question = None
        return more
