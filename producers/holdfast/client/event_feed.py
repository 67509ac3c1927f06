"""Events for all listeners of an event loop: the outbox is read once, and each listener gets what fits its filter.

A listener begins behind, and reads the outbox itself until it has caught up; then it is handed what the one reader
finds. One that does not take what it is handed falls behind again, so that it costs no memory, and loses nothing.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from holdfast.client.end_hints import Hints, OnEnded
from holdfast.model.errors import EventsGone, StorageUnavailable
from holdfast.model.event import START, Event, EventFilter
from holdfast.telemetry.loggers import library_logger

PAGE = 1_000  # events that are read at once
MOST_PENDING = 1_000  # events that are kept for one listener
GAP = 0.05  # seconds between two reads, in which what comes meanwhile gathers
FALLBACK = 1.0  # seconds between two reads without a hint
OUTAGE_PAUSE = 1.0  # seconds before the next read where the storage did not answer
CATCHING_UP = 2  # listeners that read for themselves at once

log = library_logger(__name__)
Key = tuple[str, str]
ANYTHING: Key = ("", "")


class EventListener:
    """One who listens. ``position``: everything up to here was handed out, or does not fit."""

    def __init__(self, feed: "EventFeed", where: EventFilter, position: str) -> None:
        self._feed, self.where, self.position = feed, where, position
        self._pending: list[Event] = []
        self._behind = True
        self._rests = False  # whether the next read of its own can wait for a while
        self._news = asyncio.Event()

    @property
    def key(self) -> Key:
        """What the reader finds this listener by: the narrowest of what it asks for."""
        found = (("job", self.where.job), ("batch", self.where.batch), ("tenant", self.where.tenant))
        return next(((name, value) for name, value in found if value is not None), ANYTHING)

    async def take(self, timeout: float) -> Sequence[Event]:  # noqa: ASYNC109 - it answers with none, and raises nothing
        """Return the next events that fit; none where ``timeout`` passed without any, or the feed has ended.

        Raises: EventsGone: they were deleted before they could be read. StorageUnavailable.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self._feed.ended:
                    if found := await self._read_on() if self._behind else self._take_pending():
                        return found
                    if not self._behind:
                        await self._news.wait()
        return ()

    def offer(self, event: Event) -> None:
        """Hand over an event that the reader found."""
        if self._behind or event.id <= self.position or not self.where.fits(event):
            return
        self._pending.append(event)
        self._news.set()
        if len(self._pending) > MOST_PENDING:
            self.fall_behind()

    def fall_behind(self) -> None:
        """Let it read for itself, from what it took last."""
        self._pending, self._behind = [], True
        self._news.set()

    def _take_pending(self) -> Sequence[Event]:
        found, self._pending = self._pending, []
        self._news.clear()
        self.position = max(self.position, self._feed.position)  # all of it was offered
        return found

    async def _read_on(self) -> Sequence[Event]:
        """Read a page. Whoever finds less than that is no longer behind, if the reader is no further."""
        await asyncio.sleep(GAP if self._rests else 0)
        page = await self._feed.read(self.position)
        self.position = page[-1].id if page else self.position
        self._rests = len(page) < PAGE
        self._behind = not self._rests or self.position < self._feed.position
        return [event for event in page if self.where.fits(event)]


class EventFeed:
    """Belongs to one event loop. ``poll`` answers events beyond an id, ``newest`` the last id; both run on a thread."""

    def __init__(
        self,
        poll: Callable[[str, int], Sequence[Event]],
        newest: Callable[[], str],
        *,
        hints: Callable[[OnEnded], Hints | None] = lambda _: None,
    ) -> None:
        self._poll, self._newest = poll, newest
        self._hints = hints(lambda _jobs: self._hint.set())
        self._listeners: dict[Key, set[EventListener]] = defaultdict(set)
        self._hint = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._places = asyncio.Semaphore(CATCHING_UP)
        self.position = START
        self.ended = False

    @property
    def listening(self) -> int:
        """How many listen now."""
        return sum(map(len, self._listeners.values()))

    async def begin(self, where: EventFilter, after: str | None) -> EventListener:
        """Make a listener to what follows ``after``; None: from now on. It costs nothing until it is attached.

        Raises: EventsGone: not all of it is kept. StorageUnavailable.
        """
        if after is None:
            return EventListener(self, where, await asyncio.to_thread(self._newest))
        await asyncio.to_thread(self._poll, after, 1)
        return EventListener(self, where, after)

    @contextlib.contextmanager
    def attached(self, listener: EventListener) -> Iterator[None]:
        """Hand it what happens."""
        self._listeners[listener.key].add(listener)
        self._start()
        try:
            yield
        finally:
            self._listeners[listener.key].discard(listener)
            if not self._listeners[listener.key]:
                del self._listeners[listener.key]

    async def read(self, after: str) -> Sequence[Event]:
        """Return the next page of events beyond ``after``; few read at once."""
        async with self._places:
            return await asyncio.to_thread(self._poll, after, PAGE)

    def end(self) -> None:
        """Wake all listeners, for the last time: ``ended`` tells them why."""
        self.ended = True
        for listener in self._all():
            listener.fall_behind()

    async def close(self) -> None:
        if self._hints is not None:
            await self._hints.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _start(self) -> None:
        if self._hints is not None:
            self._hints.start()
        if self._reader is None or self._reader.done():
            self.position = START
            self._reader = asyncio.create_task(self._read_on())

    async def _read_on(self) -> None:
        """Read while anybody listens."""
        while self._listeners:
            try:
                await (self._begin_anew() if self.position == START else self._read_all())
            except StorageUnavailable as error:
                log.info("listeners wait: %s", error)
                await asyncio.sleep(OUTAGE_PAUSE)
            except EventsGone as error:
                log.warning("events were deleted before they were read: %s", error)
                self.position = START
            await asyncio.sleep(GAP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FALLBACK):
                    await self._hint.wait()
            self._hint.clear()

    async def _begin_anew(self) -> None:
        """Begin with what happens from now on. What came before, each listener reads for itself."""
        self.position = await asyncio.to_thread(self._newest)
        for listener in self._all():
            listener.fall_behind()

    def _all(self) -> Sequence[EventListener]:
        return [listener for some in self._listeners.values() for listener in some]

    async def _read_all(self) -> None:
        full = True
        while full:
            page = await asyncio.to_thread(self._poll, self.position, PAGE)
            for event in page:
                self._hand_out(event)
            self.position = page[-1].id if page else self.position
            full = len(page) == PAGE

    def _hand_out(self, event: Event) -> None:
        keys = (("job", event.job or ""), ("batch", event.batch or ""), ("tenant", event.tenant), ANYTHING)
        for key in keys:
            for listener in self._listeners.get(key, ()):
                listener.offer(event)
        self.position = event.id
