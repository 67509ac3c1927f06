"""Events in Python: in order, each once, and on from the last id, on the storage and through a server."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from holdfast.client import AsyncHoldfast, Holdfast, ServerUnavailable
from holdfast.client.event_stream import OUTAGE, EventStream
from holdfast.config import Settings
from holdfast.model.errors import EventsGone, InvalidRequest, NotFound
from holdfast.model.event import EventFilter, EventKind
from holdfast.model.fault import FaultKind
from holdfast.model.job import State
from producing import StandInWorker, served


@pytest.fixture
def remote(settings: Settings) -> Iterator[Holdfast]:
    with served(settings) as url, Holdfast(url=url) as holdfast:
        yield holdfast


@pytest.fixture(params=["hf", "remote"])
def client(request: pytest.FixtureRequest) -> Holdfast:
    return request.getfixturevalue(request.param)


def test_a_stream_begins_where_it_is_made_and_goes_on_from_the_last_id(client: Holdfast, worker: StandInWorker) -> None:
    client.submit(["before"], model="smart")
    worker.answer()
    stream = client.events()
    batch = client.submit([{"prompt": name, "custom_id": name} for name in "abc"], model="smart")
    worker.answer(jobs=2)
    worker.bury()
    first = next(stream)
    assert (first.kind, first.custom_id, first.job, first.batch) == (
        EventKind.JOB_SUCCEEDED, "a", batch.jobs[0].id, batch.id,
    )  # fmt: skip
    later = client.events(after=stream.last_id, follow=False)
    assert [(event.custom_id, event.status, event.fault) for event in later] == [
        ("b", State.SUCCEEDED, None),
        ("c", State.DEAD, FaultKind.INVALID_REQUEST),
    ]
    assert list(client.events(after=later.last_id, follow=False)) == []


def test_what_is_kept_is_narrowed_as_lists_are(client: Holdfast, worker: StandInWorker) -> None:
    one, other = (client.submit([{"prompt": name, "custom_id": name}], model="smart") for name in "ab")
    worker.answer(jobs=1)
    worker.bury()

    def names(**filters) -> list[str | None]:
        return [event.custom_id for event in client.events(follow=False, **filters)]

    assert names() == ["a", "b"]
    assert names(batch=one.id) == names(kind="job.succeeded") == names(custom_id="a") == ["a"]
    assert names(job=other.jobs[0].id) == names(fault="invalid_request", kind=["job.dead", "job.expired"]) == ["b"]
    assert names(model="other") == []


def test_a_stream_waits_for_what_comes_and_ends_when_nothing_does(client: Holdfast, worker: StandInWorker) -> None:
    stream = client.events(timeout=30)
    client.submit("a", model="smart")
    later = threading.Timer(0.1, worker.answer)
    later.start()
    assert next(stream).kind is EventKind.JOB_SUCCEEDED
    later.join()
    assert list(client.events(timeout=0.05)) == []


def test_what_cannot_be_listened_to_is_told_when_the_stream_is_made(client: Holdfast) -> None:
    with pytest.raises(NotFound):
        client.events(job="job_" + "0" * 32)
    with pytest.raises(InvalidRequest):
        client.events(after="yesterday")
    with pytest.raises(EventsGone, match="another one, or from a backup"):
        client.events(after="evt_" + "9" * 32)
    with pytest.raises(TypeError, match="Did you mean kind"):
        client.events(kinds="job.dead")


class Away:
    """A server that answers with pages, and is away where there is none."""

    def __init__(self, *pages: str | None) -> None:
        self.pages, self.asked = list(pages), list[str]()

    def events(self, _where: EventFilter, after: str, _limit: int, _wait: float = 0.0) -> dict:
        self.asked.append(after)
        page = self.pages.pop(0)
        if page is None:
            raise ServerUnavailable("http://here", "away")
        return {"events": [{"id": page}], "next": page}


def test_an_outage_is_ridden_over_and_the_same_page_is_asked_for_again(monkeypatch) -> None:
    monkeypatch.setattr("holdfast.client.event_stream.OUTAGE_PAUSE", 0.0)
    server = Away("1", None, None, "2")
    stream = EventStream(server, EventFilter(), "0")
    assert [stream.next_view()["id"] for _ in range(2)] == ["1", "2"]
    assert server.asked == ["0", "1", "1", "1"]


def test_an_outage_that_lasts_ends_the_stream_and_the_id_goes_on(monkeypatch) -> None:
    clock = iter(range(0, 10_000, int(OUTAGE)))
    monkeypatch.setattr("holdfast.client.event_stream.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("holdfast.client.event_stream.time.sleep", lambda _seconds: None)
    stream = EventStream(Away("1", None, None, None), EventFilter(), "0")
    assert stream.next_view()["id"] == "1"
    with pytest.raises(ServerUnavailable):
        stream.next_view()
    assert stream.last_id == "1"


def test_an_asynchronous_stream_loses_nothing_to_a_step_that_was_given_up(
    settings: Settings, worker: StandInWorker
) -> None:
    async def listen() -> list[str | None]:
        async with AsyncHoldfast(settings) as hf:
            stream = await hf.events().begin()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.05)
            await hf.submit(["a", "b"], model="smart")
            await asyncio.to_thread(worker.answer)
            found = [await anext(stream) for _ in range(2)]
            await stream.aclose()
            assert [event.job async for event in hf.events(after="oldest", follow=False)] == [e.job for e in found]
            assert [job["id"] async for job in hf.jobs(state="succeeded")] == [e.job for e in reversed(found)]
            assert len([batch async for batch in hf.batches()]) == 1
            return [stream.last_id, found[-1].id]

    last, newest = asyncio.run(listen())
    assert last == newest
