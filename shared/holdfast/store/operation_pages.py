"""Operations worked off: page after page, each one transaction that moves its jobs and the operation's row.

Any process may do the next page: two never do the same one, and one that was killed is followed by another.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from holdfast.model.audit_action import AuditAction
from holdfast.model.job import State
from holdfast.store import dead_letters
from holdfast.store.audit import audit
from holdfast.store.backlog import list_lanes
from holdfast.store.drain import Letters, keep_letters, next_letters
from holdfast.store.micros import to_micros, to_seconds
from holdfast.store.operations import (
    BulkAction,
    Operation,
    OperationState,
    filter_fields,
    find_operation,
    frozen_filter,
    note_progress,
    take_operation,
)
from holdfast.store.retention import delete_empty_batches, delete_jobs, find_ended
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

REST = 0.02  # seconds between two pages, so that claims and settlements have their turn
BEAT = 0.5  # seconds between two looks at an operation that has to wait: a pause or an abort is seen within them
ALIVE = 2.0  # seconds between two notes that somebody still looks after an operation that waits
AHEAD = 1.0  # seconds before their start that jobs of a paced replay are moved: no more go on after an abort
ROOM = 1_000  # jobs that may wait in a lane while a replay adds to it: as many as a fleet fetches in a few seconds
WAITING = (State.QUEUED, State.DELAYED)


def work_off(store: Store, id_: str, go_on: Callable[[], bool] = lambda: True, rest: float = REST) -> Operation:
    """Do page after page of an operation until it is done, ``go_on`` says no, or somebody else is at it.

    Answers how it stands then. ``rest`` in seconds between two pages. Raises NotFound.
    """
    while go_on() and (wait := work_page(store, id_)) is not None:
        time.sleep(max(rest, min(wait, BEAT)))
    return store.read(find_operation, id_)


def work_page(store: Store, id_: str) -> float | None:
    """Do the next page of an operation. Answers the seconds until there may be another one to do; None: it is over."""
    operation = store.read(find_operation, id_)
    if operation.state is not OperationState.RUNNING:
        return None
    match operation.action:
        case BulkAction.DELETE_ENDED:
            # What a walk along the ids passes without deleting is no reason to hold up whoever writes.
            ended = store.read(find_ended, operation.until, operation.cursor, operation.page)
            return 0.0 if store.write(delete_page, operation, ended) else None
        case BulkAction.DRAIN:  # nor is what takes time to read and to pack
            letters = store.read(next_letters, frozen_filter(operation), operation.page)
            return store.write(_drain, operation, letters)
        case BulkAction.REPLAY | BulkAction.DROP:
            return store.write(_act, id_)


def _act(tx: Transaction, id_: str) -> float | None:
    """Replay or drop the next page of dead letters."""
    if (operation := take_operation(tx, id_)) is None:
        return None
    if operation.action is BulkAction.DROP:
        asked = operation.page
        moved = dead_letters.drop(tx, frozen_filter(operation), asked)
        return _settle(tx, operation, moved, over=moved < asked)
    return _replay_paced(tx, operation) if operation.gap else _replay_as_lanes_drain(tx, operation)


def _drain(tx: Transaction, seen: Operation, letters: Letters) -> float | None:
    """Keep a page of an export and remove its letters, unless another process did that page."""
    operation = take_operation(tx, seen.id)
    if operation is None or operation.cursor != seen.cursor:
        return None if operation is None else 0.0
    page = int(operation.cursor or 0)
    moved = keep_letters(tx, operation.id, page, letters)
    return _settle(tx, replace(operation, cursor=str(page + bool(moved))), moved, over=letters.over)


def _replay_paced(tx: Transaction, operation: Operation) -> float | None:
    """Move the jobs that start within ``AHEAD``, each ``gap`` after the one before."""
    start = max(tx.now, operation.next_start)
    horizon = tx.now + to_micros(AHEAD)
    if start > horizon:
        return _wait(tx, operation, to_seconds(start - horizon))
    asked = min(operation.page, (horizon - start) // operation.gap + 1)
    moved = dead_letters.replay(tx, frozen_filter(operation), asked, start, operation.gap, operation.edit)
    return _settle(tx, replace(operation, next_start=start + moved * operation.gap), moved, over=moved < asked)


def _replay_as_lanes_drain(tx: Transaction, operation: Operation) -> float | None:
    """Move a page into lanes in which little waits, and none into those where the buckets have enough to do."""
    rooms = _rooms(tx, operation)
    free = [lane for lane, room in rooms.items() if room > 0]
    if rooms and not free:
        return _wait(tx, operation, REST * 5)
    asked = min(operation.page, max((rooms[lane] for lane in free), default=operation.page))
    lanes = free if len(free) < len(rooms) else None
    moved = dead_letters.replay(tx, frozen_filter(operation), asked, tx.now, 0, operation.edit, lanes)
    return _settle(tx, operation, moved, over=moved < asked and lanes is None)


def _rooms(tx: Transaction, operation: Operation) -> dict[str, int]:
    """How many jobs each lane with letters may still be given; of the lane that an edit moves them to."""
    counts = {each.lane: each.counts for each in list_lanes(tx)}
    waiting = {lane: sum(its.get(state, 0) for state in WAITING) for lane, its in counts.items()}
    named = {lane for lane, its in counts.items() if its.get(State.DEAD) or its.get(State.EXPIRED)}
    named &= {operation.where.lane} if operation.where.lane else named
    target = operation.edit.model
    return {lane: ROOM - waiting.get(f"{target}.{lane.rpartition('.')[2]}" if target else lane, 0) for lane in named}


def _wait(tx: Transaction, operation: Operation, seconds: float) -> float:
    """Leave a page for later, and note now and then that somebody looks after the operation."""
    if tx.now - operation.moved_at >= to_micros(ALIVE):
        note_progress(tx, operation)
    return seconds


def _settle(tx: Transaction, operation: Operation, moved: int, *, over: bool) -> float | None:
    """Note a page; after the last one the operation is done, and stands in the audit log."""
    jobs = operation.jobs + moved
    if over or jobs == operation.max_jobs:
        operation = replace(operation, ended_at=tx.now)
        audit(tx, operation.actor, AuditAction(operation.action), filter_fields(operation.where), jobs)
    note_progress(tx, replace(operation, jobs=jobs))
    return None if operation.done else 0.0


def delete_page(tx: Transaction, seen: Operation, ended: list[str]) -> bool:
    """Delete a page of old jobs, unless another process did it; after the last one, the batches that they leave."""
    operation = take_operation(tx, seen.id)
    if operation is None or operation.cursor != seen.cursor:
        return operation is not None
    if not ended:
        delete_empty_batches(tx, operation.until)
        return note_progress(tx, replace(operation, ended_at=tx.now))
    jobs = operation.jobs + delete_jobs(tx, ended, operation.until)
    return note_progress(tx, replace(operation, jobs=jobs, cursor=ended[-1]))
