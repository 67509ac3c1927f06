"""Events as plain JSON values, and pages of them: what the API answers and what the command line shows."""

import time
from collections.abc import Sequence
from typing import Any

from holdfast.client.event_stream import NEWEST, OLDEST
from holdfast.model.errors import InvalidId, InvalidRequest
from holdfast.model.event import Event, EventFilter
from holdfast.model.ids import inner_id, public_id
from holdfast.model.iso_time import iso
from holdfast.store import Store
from holdfast.store.outbox import newest_position, poll_events, read_oldest_position

PAGE = 1_000  # events that are read at once
LOOK = 0.2  # seconds between two reads of whoever waits for the first event of a page


def event_view(event: Event) -> dict[str, Any]:
    """One event. A job's has its id and how it ended; a batch's its jobs by state."""
    told: dict[str, Any] = {
        "id": public_id("evt", event.id),
        "kind": event.kind.value,
        "created_at": iso(event.at),
        "tenant": event.tenant,
        "batch": event.batch and public_id("batch", event.batch),
    }
    if event.job is None:
        return told | {"counts": event.counts}
    return told | {
        "job": public_id("job", event.job),
        "status": event.kind.value.partition(".")[2],
        "custom_id": event.custom_id,
        "model": event.model,
        "generation": event.generation,
        "fault": event.fault,
    }


def page_view(events: Sequence[Event], position: str) -> dict[str, Any]:
    """A page of events. ``next`` is the position to go on from, also where there are none."""
    return {"events": [event_view(event) for event in events], "next": public_id("evt", position)}


def find_position(store: Store, after: str) -> str:
    """Read where to go on: an event's id, ``oldest`` or ``newest``. Raises InvalidRequest."""
    if after == OLDEST:
        return store.read(read_oldest_position)
    if after == NEWEST:
        return newest_position(store)
    try:
        return inner_id("evt", after)
    except InvalidId:
        problem = f"expected the id of an event (evt_ and 32 hex digits), {OLDEST} or {NEWEST}, got {after!r}."
        raise InvalidRequest("after", problem) from None


def read_page(store: Store, where: EventFilter, after: str, limit: int) -> tuple[Sequence[Event], str]:
    """Return the next events that fit, and how far that is. Raises EventsGone."""
    found: list[Event] = []
    while True:
        events = poll_events(store, after, PAGE)
        for event in events:
            after = event.id
            if where.fits(event):
                found.append(event)
            if len(found) == limit:
                return found, after
        if len(events) < PAGE:
            return found, after


def wait_for_page(store: Store, where: EventFilter, after: str, limit: int, wait: float) -> dict[str, Any]:
    """Return a page of events; where there are none yet, once there are, or after ``wait`` seconds.

    It holds its thread meanwhile. Raises EventsGone, InvalidRequest.
    """
    position, until = find_position(store, after), time.monotonic() + wait
    while True:
        found, position = read_page(store, where, position, limit)
        left = until - time.monotonic()
        if found or left <= 0:
            return page_view(found, position)
        time.sleep(min(LOOK, left))
