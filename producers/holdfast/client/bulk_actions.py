"""Bulk actions on dead letters: rows in SQL, worked off by a worker's actor, or here where no worker does."""

import time

from holdfast.client.installation import Installation
from holdfast.model.errors import QueueUnavailable
from holdfast.model.records import JobFilter
from holdfast.store import Store
from holdfast.store.fleet import list_workers
from holdfast.store.operations import OPERATION_ACTOR, BulkAction, find_operation, open_operation, work_off

PICK_UP = 1.0  # seconds in which a worker does the next page, or else we do
FIRST_LOOK, LAST_LOOK = 0.02, 0.5  # seconds between two looks at an operation, which grow
SLOWER = 1.5  # times as long until the next look


def act_on_dead_letters(  # noqa: PLR0917 - an action in full
    installation: Installation,
    action: BulkAction,
    where: JobFilter,
    limit: int,
    actor: str,
    per_minute: float | None = None,
) -> int:
    """Replay or drop at most ``limit`` dead letters; return how many once it is done.

    The operation is a committed row: it is completed even if this process dies while it waits.
    """
    store = installation.ready()
    operation = store.write(open_operation, action, where, limit, actor, per_minute)
    return _wait(store, operation, PICK_UP if _sent(installation, store, operation) else 0.0)


def _sent(installation: Installation, store: Store, operation: str) -> bool:
    """Send a message about the operation to the workers. Returns False where there are none, or Redis is away."""
    if not store.read(list_workers):
        return False
    try:
        installation.redis.actors().send(OPERATION_ACTOR, operation)
    except QueueUnavailable:
        return False
    return True


def _wait(store: Store, operation: str, pick_up: float) -> int:
    """Wait until an operation is done. Whenever no worker did a page of it for ``pick_up`` seconds, do it here."""
    gap, moved_at, since = FIRST_LOOK, 0, time.monotonic()
    while not (found := store.read(find_operation, operation)).done:
        if found.moved_at != moved_at:
            moved_at, since = found.moved_at, time.monotonic()
        if time.monotonic() - since >= pick_up and work_off(store, operation).done:
            continue
        time.sleep(gap)  # also where another process does a page of it right now
        gap = min(gap * SLOWER, LAST_LOOK)
    return found.jobs
