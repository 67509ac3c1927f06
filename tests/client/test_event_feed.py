"""The outbox is read once for all listeners; each hears what fits, in order and once, however slow it is."""

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from holdfast.client import event_feed
from holdfast.client.event_feed import EventFeed, EventListener
from holdfast.model.errors import EventsGone, StorageUnavailable
from holdfast.model.event import START, Event, EventFilter, EventKind, event_id

ANY = EventFilter()


class Outbox:
    """Events in a list; hints are given by hand."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reads, self.away, self.gone = 0, 0, ""
        self.feed = EventFeed(self.poll, self.newest, hints=self.hints)

    def hints(self, hear):
        self.hint = lambda: hear([])
        return self

    def start(self) -> None: ...

    async def close(self) -> None: ...

    def poll(self, after: str, limit: int) -> list[Event]:
        self.reads += 1
        if self.away:
            self.away -= 1
            raise StorageUnavailable("sqlite:///x", "restarting")
        if after < self.gone:
            raise EventsGone(after, "gone")
        return [event for event in self.events if event.id > after][:limit]

    def newest(self) -> str:
        return self.events[-1].id if self.events else START

    def add(self, count: int = 1, **fields: str) -> list[Event]:
        told = {"tenant": "acme", "batch": None, "job": "j"} | fields
        new = [
            Event(id=event_id(len(self.events) + n + 1, 0), kind=EventKind.JOB_SUCCEEDED, at=0.0, **told)
            for n in range(count)
        ]
        self.events += new
        self.hint()
        return new


@pytest.fixture
async def outbox(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_feed, "GAP", 0.0)
    made = Outbox()
    yield made
    await made.feed.close()


async def heard(listener: EventListener, count: int) -> list[Event]:
    found: list[Event] = []
    while len(found) < count:
        more = await listener.take(10)
        assert more, f"only {len(found)} of {count} events came"
        found += more
    return found


async def test_a_listener_hears_what_happens_from_now_on(outbox: Outbox) -> None:
    outbox.add()
    listener = await outbox.feed.begin(ANY, None)
    with outbox.feed.attached(listener):
        new = outbox.add(3)
        assert await heard(listener, 3) == new
        assert await listener.take(0.01) == ()
        new = outbox.add(2)
        assert await heard(listener, 2) == new


async def test_who_goes_on_from_an_id_hears_the_past_and_then_the_present(outbox: Outbox, monkeypatch) -> None:
    monkeypatch.setattr(event_feed, "PAGE", 10)
    past = outbox.add(35)
    listener = await outbox.feed.begin(ANY, past[4].id)
    with outbox.feed.attached(listener):
        first = await heard(listener, 7)
        new = outbox.add(25)
        assert first + await heard(listener, 30 + 25 - len(first)) == past[5:] + new


@pytest.mark.parametrize(
    ("where", "fitting"),
    [
        (EventFilter(tenant="acme"), ["a", "b"]),
        (EventFilter(batch="one"), ["b"]),
        (EventFilter(job="c"), ["c"]),
        (EventFilter(tenant="acme", job="c"), []),
        (EventFilter(kinds={EventKind.JOB_DEAD}), []),
        (ANY, ["a", "b", "c"]),
    ],
)
async def test_a_listener_hears_what_fits_and_nothing_else(outbox: Outbox, where, fitting) -> None:
    listener, every = await outbox.feed.begin(where, None), await outbox.feed.begin(ANY, None)
    with outbox.feed.attached(listener), outbox.feed.attached(every):
        assert await listener.take(0.01) == ()  # it has caught up
        outbox.add(job="a")
        outbox.add(job="b", batch="one")
        outbox.add(job="c", tenant="other")
        last = (await heard(every, 3))[-1]
        assert [event.job for event in await heard(listener, len(fitting))] == fitting
        assert await listener.take(0.01) == ()
        assert listener.position == last.id  # so that it need not come back to what does not fit


async def test_many_listeners_cost_one_reading(outbox: Outbox) -> None:
    listeners = [await outbox.feed.begin(ANY, None) for _ in range(500)]
    with ExitStack() as attached:
        for listener in listeners:
            attached.enter_context(outbox.feed.attached(listener))
        [first] = outbox.add()
        assert [await heard(listener, 1) for listener in listeners] == [[first]] * 500  # all have caught up
        before, new = outbox.reads, outbox.add(5)
        assert [await heard(listener, 5) for listener in listeners] == [new] * 500
        assert outbox.reads - before <= 5
    assert outbox.feed.listening == 0


async def test_a_slow_listener_costs_no_memory_and_loses_nothing(outbox: Outbox, monkeypatch) -> None:
    monkeypatch.setattr(event_feed, "MOST_PENDING", 5)
    slow, quick = await outbox.feed.begin(ANY, None), await outbox.feed.begin(ANY, None)
    with outbox.feed.attached(slow), outbox.feed.attached(quick):
        assert await slow.take(0.01) == ()
        new = []
        for _ in range(6):
            some = outbox.add(3)
            assert await heard(quick, 3) == some
            new += some
        assert len(slow._pending) <= 6
        assert await heard(slow, 18) == new


async def test_events_are_heard_after_the_storage_was_away(outbox: Outbox, monkeypatch) -> None:
    monkeypatch.setattr(event_feed, "OUTAGE_PAUSE", 0.0)
    monkeypatch.setattr(event_feed, "FALLBACK", 0.001)
    listener = await outbox.feed.begin(ANY, None)
    with outbox.feed.attached(listener):
        outbox.away = 3
        new = outbox.add(2)
        found: list[Event] = []
        while len(found) < 2:
            with suppress(StorageUnavailable):  # which a listener that reads for itself is told
                found += await listener.take(10)
        assert found == new


async def test_who_is_behind_what_is_kept_is_told(outbox: Outbox) -> None:
    events = outbox.add(5)
    outbox.gone = events[2].id
    with pytest.raises(EventsGone):
        await outbox.feed.begin(ANY, events[1].id)
    assert (await outbox.feed.begin(ANY, events[2].id)).position == events[2].id


async def test_a_feed_that_ends_lets_its_listeners_go(outbox: Outbox) -> None:
    listener = await outbox.feed.begin(ANY, None)
    with outbox.feed.attached(listener):
        waiting = asyncio.create_task(listener.take(60))
        await asyncio.sleep(0)
        outbox.feed.end()
        assert await asyncio.wait_for(waiting, 10) == ()


async def test_an_event_is_one_thing_to_remember_its_bytes_by(outbox: Outbox) -> None:
    [event] = outbox.add()
    assert len({event, replace(event), replace(event, counts={"dead": 1})}) == 2
