"""Events: what ended, as a stream of server-sent events, or a page of them as JSON."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from holdfast.api.auth.request_context import Reading, RequestContext
from holdfast.api.native.etags import UNCHANGED, IfNoneMatch, tagged_page
from holdfast.api.native.filters import Name, filter_model
from holdfast.api.native.preferences import Prefer, applied, wanted_wait
from holdfast.api.openapi import SCHEMAS, Answers, refusals
from holdfast.client.event_feed import OUTAGE_PAUSE, EventListener
from holdfast.client.event_stream import NEWEST, OLDEST
from holdfast.client.event_view import event_view, find_position, page_view, read_page
from holdfast.client.list_filters import EVENTS as EVENT_FILTERS
from holdfast.client.list_filters import event_filter
from holdfast.model.errors import EventsGone, StorageUnavailable, Unauthorized
from holdfast.model.event import Event, EventFilter
from holdfast.model.ids import public_id
from holdfast.wire.server_sent_events import write_event

EVENT_STREAM = "text/event-stream"
NO_BUFFER = {"x-accel-buffering": "no", "cache-control": "no-cache"}  # proxies pass each event on at once
RECONNECT_AFTER = 2_000  # milliseconds after which a browser comes again
KEEP_ALIVE_EVERY = 15.0  # seconds of silence before a comment, with the id that has been reached
MOST_LISTENERS = 2_000  # in one process
REMEMBERED = 2_000  # events whose bytes are kept, so that many listeners cost one writing
EVENTS: Answers = {
    200: {
        "description": "Events as they happen, or a page of them. In the stream each has its id, its kind as its name, "
        "and the JSON of a `JobEvent` or a `BatchEvent` as its data.",
        "content": {
            EVENT_STREAM: {"schema": {"type": "string"}},
            "application/json": {"schema": {"$ref": f"{SCHEMAS}EventsPage"}},
        },
    },
    **UNCHANGED,
    **refusals(410),
}
router = APIRouter(tags=["events"])


POSITION = {"pattern": r"^(evt_[0-9a-f]{32}|oldest|newest|)$"}  # shown; what is wrong with another is said in words
Position = Annotated[Name, Field(json_schema_extra=POSITION)]


class EventQuery(filter_model("EventFilters", EVENT_FILTERS)):  # type: ignore[misc] # made from the table
    """Which events. ``after``: the id of the last event that was read, ``oldest`` or ``newest``."""

    after: Position | None = None
    limit: int = Field(default=100, ge=1, le=1_000, description="of a page; a stream has no end")


LastEventId = Annotated[str | None, Header(description="what a stream goes on after; it goes before `after`")]


@router.get("/events", response_class=Response, responses=EVENTS)
async def list_events(
    request: Request,
    context: Reading,
    *,
    query: Annotated[EventQuery, Query()],
    last_event_id: LastEventId = None,
    prefer: Prefer = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Stream what ends, from now on or after the event that ``Last-Event-ID`` or ``after`` names.

    Each event comes once and in order to whoever hands back the last id, also when the server was away. Events are
    kept for ``storage.keep_events``: 410 tells that some beyond the id are gone. With ``Accept: application/json`` the
    answer is a page, from the oldest on by default; ``next`` leads on, and ``Prefer: wait=N`` waits for an empty one.
    """
    where = await run_in_threadpool(context.backend.choose_events, event_filter(query.model_dump()))
    if "application/json" in request.headers.get("accept", ""):
        return await page(context, where, query, wanted_wait(prefer), if_none_match)
    return await stream(context, where, last_event_id or query.after or NEWEST)


async def page(
    context: RequestContext, where: EventFilter, query: EventQuery, wait: float, known: str | None
) -> Response:
    """Answer with the next events that fit; where there are none yet, once there are, or after ``wait`` seconds."""
    store = context.app_state.installation.ready()
    start = await run_in_threadpool(find_position, store, query.after or OLDEST)
    found, position = await run_in_threadpool(read_page, store, where, start, query.limit)
    if wait and not found:
        listener = await context.app_state.events.begin(where, position)
        found = await waited_for(context, listener, wait)
        await context.reauthenticate()
        found = found[: query.limit]
        position = found[-1].id if found else listener.position
    return tagged_page(page_view(found, position), known, applied(wait))


async def waited_for(context: RequestContext, listener: EventListener, wait: float) -> Sequence[Event]:
    """Wait for the next events, and not on once the client is gone. Raises ClientDisconnect."""
    with context.app_state.events.attached(listener):
        return await context.while_connected(listener.take(wait))


async def stream(context: RequestContext, where: EventFilter, after: str) -> Response:
    """Answer with what follows ``after``, and what will. Raises EventsGone, InvalidRequest before the stream begins."""
    feed = context.app_state.events
    if feed.listening >= MOST_LISTENERS:
        raise HTTPException(503, f"{MOST_LISTENERS:,} listen to this process already")
    start = await run_in_threadpool(find_position, context.app_state.installation.ready(), after)
    listener = await feed.begin(where, start)
    return StreamingResponse(frames(context, listener), headers=NO_BUFFER, media_type=EVENT_STREAM)


async def frames(context: RequestContext, listener: EventListener) -> AsyncIterator[bytes]:
    """Yield events until the client is gone, or the server stops.

    It ends as well where the client's key is revoked, or events were deleted before they could be read: the client
    comes again with the last id, and is answered with what is the matter.
    """
    feed = context.app_state.events
    yield b"retry: %d\n%s" % (RECONNECT_AFTER, reached(listener))
    with feed.attached(listener), suppress(EventsGone, Unauthorized):
        while not feed.ended:
            found = await take(listener)
            if not found:
                await context.reauthenticate()
            yield b"".join(map(frame, found)) or reached(listener)


async def take(listener: EventListener) -> Sequence[Event]:
    """Return the next events, or none after a while, also while the storage is away. Raises EventsGone."""
    try:
        return await listener.take(KEEP_ALIVE_EVERY)
    except StorageUnavailable:
        await asyncio.sleep(OUTAGE_PAUSE)
        return ()


def reached(listener: EventListener) -> bytes:
    """Write a comment, which keeps proxies from hanging up, and the id that was reached, which moves no event."""
    return b": reached\nid: %s\n\n" % public_id("evt", listener.position).encode()


@lru_cache(maxsize=REMEMBERED)
def frame(event: Event) -> bytes:
    """Write an event for a stream."""
    return b"id: %s\n%s" % (public_id("evt", event.id).encode(), write_event(event_view(event), event.kind.value))
