"""Operations: bulk actions on jobs, each a row that is worked off in pages, each page one transaction.

The row says what is to be done and how far it came, so any process may do the next page: two never do the same one,
and one that was killed is followed by another. Nobody needs to be told of a row; a message only makes it quicker.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from holdfast.model.errors import NotFound
from holdfast.model.ids import new_id, public_id
from holdfast.model.records import JobFilter
from holdfast.store import dead_letters
from holdfast.store.audit import audit
from holdfast.store.micros import MICROS, to_micros, to_seconds
from holdfast.store.retention import delete_empty_batches, delete_jobs, find_ended
from holdfast.store.sql import Statement, to_json
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

COLUMNS = "id, action, actor, filter, until, max_jobs, gap, next_start, cursor, jobs, moved_at, ended_at"

OPEN = Statement("""
    insert into operation (
        id, action, actor, tenant, filter, until, max_jobs, gap, next_start, cursor, jobs, created_at, moved_at
    )
    values (:id, :action, :actor, :tenant, :filter, :until, :max_jobs, :gap, 0, '', 0, :now, :now)
    on conflict (id) do update set
        until = excluded.until, cursor = '', jobs = 0, created_at = excluded.created_at, moved_at = excluded.moved_at,
        ended_at = null
    where operation.ended_at <= :again
    returning id
""")
ONE = Statement(f"select {COLUMNS} from operation where id = :id")  # noqa: S608 - the columns stand above
TAKE = Statement(f"select {COLUMNS} from operation where id = :id and ended_at is null $skip_locked")  # noqa: S608
MOVE = Statement("""
    update operation set jobs = :jobs, next_start = :next_start, cursor = :cursor, moved_at = :now, ended_at = :ended_at
    where id = :id
""")
RESTING = Statement("select id from operation where ended_at is null and moved_at < :since order by moved_at")
DELETE_ENDED = Statement("delete from operation where ended_at < :date")

PAGE = 500  # jobs in one transaction
REST = 0.02  # seconds between two pages, so that claims and settlements have their turn
KEEP = 86_400 * MICROS  # an operation that ended stays for a day
OPERATION_ACTOR = "work_off"  # the actor that a message about an operation is for
RETENTION = "retention"  # the id, and the actor, of the one operation that deletes old jobs


class BulkAction(StrEnum):
    REPLAY = "replay"  # put dead letters back to work
    DROP = "drop"  # remove dead letters for good
    DELETE_ENDED = "delete_ended"  # remove what ended before a date, dead or not


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of ``tables.operation``, whose fields tell what each is; ``done`` once its last page is."""

    id: str
    action: BulkAction
    actor: str
    where: JobFilter
    until: int
    max_jobs: int | None
    gap: int
    next_start: int
    cursor: str
    jobs: int
    moved_at: int
    done: bool

    @property
    def page(self) -> int:
        """How many jobs the next page takes at most."""
        return PAGE if self.max_jobs is None else min(PAGE, self.max_jobs - self.jobs)


FILTER: TypeAdapter[JobFilter] = TypeAdapter(JobFilter)


def open_operation(  # noqa: PLR0917 - an action in full
    tx: Transaction, action: BulkAction, where: JobFilter, limit: int, actor: str, per_minute: float | None = None
) -> str:
    """Ask for a bulk action on at most ``limit`` dead letters, oldest first. Answers the operation's id.

    ``per_minute`` spreads the starts of replayed jobs: the first starts now. None: all start now.
    """
    # What is dead by a clock that was since set back is dead all the same.
    until = max(tx.now, dead_letters.newest_end(tx, where)) + 1
    gap = 0 if per_minute is None else round(60 * MICROS / per_minute)
    id_ = new_id()
    _open(tx, id_, action, where, actor, until=until, max_jobs=limit, gap=gap)
    return id_


def open_retention(tx: Transaction, age: float, every: float = 0.0) -> bool:
    """Ask that jobs which ended more than ``age`` seconds ago are deleted, as operation RETENTION.

    False: that goes on already, or was done less than ``every`` seconds ago.
    """
    until, again = tx.now - to_micros(age), tx.now - to_micros(every)
    return _open(tx, RETENTION, BulkAction.DELETE_ENDED, JobFilter(), RETENTION, until=until, again=again)


def _open(
    tx: Transaction,
    id_: str,
    action: BulkAction,
    where: JobFilter,
    actor: str,
    *,
    until: int,
    max_jobs: int | None = None,
    gap: int = 0,
    again: int = 0,
) -> bool:
    opened = tx.run(
        OPEN,
        id=id_,
        action=action,
        actor=actor,
        tenant=where.tenant,
        filter=to_json(filter_fields(where)),
        until=until,
        max_jobs=max_jobs,
        gap=gap,
        now=tx.now,
        again=again,
    )
    return bool(opened)


def find_operation(tx: Transaction, id_: str) -> Operation:
    """Raises NotFound: it ended more than a day ago, or never was."""
    if rows := tx.run(ONE, id=id_):
        return _read(rows[0])
    raise NotFound("operation", public_id("op", id_))


def resting_operations(tx: Transaction, seconds: float) -> list[str]:
    """Open operations of which nobody did a page in the last ``seconds``: their message may be lost."""
    return [row.id for row in tx.run(RESTING, since=tx.now - to_micros(seconds))]


def delete_done_operations(tx: Transaction) -> None:
    """Delete operations that ended a day ago."""
    tx.run(DELETE_ENDED, date=tx.now - KEEP)


def work_off(store: Store, id_: str, go_on: Callable[[], bool] = lambda: True, rest: float = REST) -> Operation:
    """Do page after page of an operation until it is done, ``go_on`` says no, or somebody else is at it.

    Answers how it stands then. ``rest`` in seconds between two pages. Raises NotFound.
    """
    while go_on() and work_page(store, id_):
        time.sleep(rest)
    return store.read(find_operation, id_)


def work_page(store: Store, id_: str) -> bool:
    """Do the next page of an operation. Answers whether there may be another one to do."""
    operation = store.read(find_operation, id_)
    if operation.done:
        return False
    if operation.action is not BulkAction.DELETE_ENDED:
        return store.write(_act, id_)
    # What a walk along the ids passes without deleting is no reason to hold up whoever writes.
    ended = store.read(find_ended, operation.until, operation.cursor, PAGE)
    return store.write(delete_page, operation, ended)


def _act(tx: Transaction, id_: str) -> bool:
    """Replay or drop the next page of dead letters."""
    if (operation := _take(tx, id_)) is None:
        return False
    where = _frozen(operation)
    if operation.action is BulkAction.DROP:
        moved = dead_letters.drop(tx, where, operation.page)
    else:
        start = max(tx.now, operation.next_start)
        moved = dead_letters.replay(tx, where, operation.page, start, operation.gap)
        operation = replace(operation, next_start=start + moved * operation.gap)
    jobs = operation.jobs + moved
    operation = replace(operation, jobs=jobs, done=moved < PAGE or jobs == operation.max_jobs)
    if operation.done:
        audit(tx, operation.actor, operation.action, filter_fields(operation.where), operation.jobs)
    return _moved(tx, operation)


def delete_page(tx: Transaction, seen: Operation, ended: list[str]) -> bool:
    """Delete a page of old jobs, unless another process did it; after the last one, the batches that they leave."""
    operation = _take(tx, seen.id)
    if operation is None or operation.cursor != seen.cursor:
        return operation is not None
    if not ended:
        delete_empty_batches(tx, operation.until)
        return _moved(tx, replace(operation, done=True))
    jobs = operation.jobs + delete_jobs(tx, ended, operation.until)
    return _moved(tx, replace(operation, jobs=jobs, cursor=ended[-1]))


def _take(tx: Transaction, id_: str) -> Operation | None:
    """Lock an open operation for this transaction. None: it is done, or another process does a page of it now."""
    return next((_read(row) for row in tx.run(TAKE, id=id_)), None)


def _moved(tx: Transaction, operation: Operation) -> bool:
    ended_at = tx.now if operation.done else None
    progress = {"jobs": operation.jobs, "next_start": operation.next_start, "cursor": operation.cursor}
    tx.run(MOVE, id=operation.id, now=tx.now, ended_at=ended_at, **progress)
    return not operation.done


def _frozen(operation: Operation) -> JobFilter:
    dates = (operation.where.finished_before, to_seconds(operation.until))
    return replace(operation.where, finished_before=min(date for date in dates if date is not None))


def filter_fields(where: JobFilter) -> dict[str, Any]:
    """What narrows a filter, fit for JSON."""
    fields = {name: value for name, value in asdict(where).items() if value is not None}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in fields.items()}


def _read(row: Any) -> Operation:
    return Operation(
        id=row.id,
        action=BulkAction(row.action),
        actor=row.actor,
        where=FILTER.validate_json(row.filter),
        until=row.until,
        max_jobs=row.max_jobs,
        gap=row.gap,
        next_start=row.next_start,
        cursor=row.cursor,
        jobs=row.jobs,
        moved_at=row.moved_at,
        done=row.ended_at is not None,
    )
