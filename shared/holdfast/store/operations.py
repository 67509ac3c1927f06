"""Operations: bulk actions on jobs, each a row that is worked off in pages, each page one transaction.

The row says what is to be done and how far it came, so any process may do the next page: see ``operation_pages``.
Nobody needs to be told of a row; a message only makes it quicker.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from holdfast.model.audit_action import AuditAction
from holdfast.model.errors import NotFound
from holdfast.model.ids import new_id, public_id
from holdfast.model.records import JobFilter, ReplayEdit
from holdfast.store import dead_letters
from holdfast.store.audit import audit
from holdfast.store.drain import drop_export
from holdfast.store.micros import MICROS, to_micros, to_seconds
from holdfast.store.sql import Statement, to_json
from holdfast.store.transaction import Transaction

COLUMNS = """id, action, actor, filter, until, max_jobs, gap, next_start, cursor, jobs, eligible, edit, created_at,
    moved_at, paused_at, aborted_at, ended_at"""

OPEN = Statement("""
    insert into operation (
        id, action, actor, tenant, filter, until, max_jobs, gap, next_start, cursor, jobs, eligible, edit, created_at,
        moved_at
    )
    values (:id, :action, :actor, :tenant, :filter, :until, :max_jobs, :gap, 0, '', 0, :eligible, :edit, :now, :now)
    on conflict (id) do update set
        until = excluded.until, cursor = '', jobs = 0, created_at = excluded.created_at, moved_at = excluded.moved_at,
        ended_at = null
    where operation.ended_at <= :again
    returning id
""")
ONE = Statement(f"select {COLUMNS} from operation where id = :id")  # noqa: S608 - the columns stand above
TAKE = Statement(  # what is paused or aborted is nobody's to do
    f"select {COLUMNS} from operation where id = :id and ended_at is null and paused_at is null $skip_locked"  # noqa: S608
)
NEWEST = Statement(
    f"select {COLUMNS} from operation where id <> 'retention' "  # noqa: S608
    "and (cast(:tenant as text) is null or tenant = :tenant) order by created_at desc, id limit :limit"
)
PAUSE = Statement("""
    update operation set paused_at = :now where id = :id and ended_at is null and paused_at is null returning id
""")
RESUME = Statement("""
    update operation set paused_at = null, moved_at = :now where id = :id and paused_at is not null
    and ended_at is null returning id
""")
ABORT = Statement("""
    update operation set aborted_at = :now, ended_at = :now where id = :id and ended_at is null returning id, jobs
""")
MOVE = Statement("""
    update operation set jobs = :jobs, next_start = :next_start, cursor = :cursor, moved_at = :now, ended_at = :ended_at
    where id = :id
""")
RESTING = Statement("""
    select id from operation where ended_at is null and paused_at is null and moved_at < :since order by moved_at
""")
DELETE_ENDED = Statement("""
    delete from operation where ended_at < :date and (action <> 'drain' or ended_at < :exports_date)
    returning id, action
""")
DELETE_DRAIN = Statement(
    "delete from operation where id = :id and action = 'drain' and ended_at is not null returning id"
)

PAGE = 500  # jobs in one transaction
KEEP = 86_400 * MICROS  # an operation that ended stays for a day,
KEEP_EXPORTS = 30 * KEEP  # and a drain with its export for a month: nobody else has those letters
OPERATION_ACTOR = "work_off"  # the actor that a message about an operation is for
RETENTION = "retention"  # the id, and the actor, of the one operation that deletes old jobs


class BulkAction(StrEnum):
    REPLAY = "replay"  # put dead letters back to work
    DRAIN = "drain"  # move dead letters into an export
    DROP = "drop"  # remove dead letters for good
    DELETE_ENDED = "delete_ended"  # remove what ended before a date, dead or not


class OperationState(StrEnum):
    """How an operation stands."""

    RUNNING = "running"  # open: pages of it are done, or it waits for its pace
    PAUSED = "paused"  # by an operator, until it is resumed
    DONE = "done"
    ABORTED = "aborted"  # by an operator: what was moved stays moved


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of ``tables.operation``, whose fields tell what each is."""

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
    eligible: int | None
    edit: ReplayEdit
    created_at: int
    moved_at: int
    paused_at: int | None
    aborted_at: int | None
    ended_at: int | None

    @property
    def done(self) -> bool:
        """Whether nothing more of it will be done: its last page is, or somebody ended it."""
        return self.ended_at is not None

    @property
    def state(self) -> OperationState:
        if self.aborted_at is not None:
            return OperationState.ABORTED
        if self.ended_at is not None:
            return OperationState.DONE
        return OperationState.RUNNING if self.paused_at is None else OperationState.PAUSED

    @property
    def page(self) -> int:
        """How many jobs the next page takes at most."""
        return PAGE if self.max_jobs is None else min(PAGE, self.max_jobs - self.jobs)


FILTER: TypeAdapter[JobFilter] = TypeAdapter(JobFilter)
EDIT: TypeAdapter[ReplayEdit] = TypeAdapter(ReplayEdit)


def open_operation(  # noqa: PLR0917 - an action in full
    tx: Transaction,
    action: BulkAction,
    where: JobFilter,
    limit: int | None,
    actor: str,
    per_minute: float | None = None,
    edit: ReplayEdit = dead_letters.NO_EDIT,
) -> str:
    """Ask for a bulk action on at most ``limit`` dead letters, oldest first. Answers the operation's id.

    ``per_minute`` spreads the starts of replayed jobs: the first starts now. None: as the buckets allow, which is as
    fast as their lanes drain.
    """
    # What is dead by a clock that was since set back is dead all the same.
    until = max(tx.now, dead_letters.newest_end(tx, where)) + 1
    gap = 0 if per_minute is None else max(1, round(60 * MICROS / per_minute))
    id_, eligible = new_id(), dead_letters.count_replayable(tx, where)
    eligible = eligible if limit is None else min(limit, eligible)
    _open(tx, id_, action, where, actor, until=until, max_jobs=limit, gap=gap, eligible=eligible, edit=edit)
    told = {"operation": public_id("op", id_), "per_minute": per_minute, "edit": edit_fields(edit) or None}
    asked = filter_fields(where) | {name: value for name, value in told.items() if value is not None}
    audit(tx, actor, AuditAction(f"{action}.asked"), asked, eligible)
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
    eligible: int | None = None,
    edit: ReplayEdit = dead_letters.NO_EDIT,
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
        eligible=eligible,
        edit=to_json(edit_fields(edit)) if edit != dead_letters.NO_EDIT else None,
        now=tx.now,
        again=again,
    )
    return bool(opened)


def find_operation(tx: Transaction, id_: str) -> Operation:
    """Raises NotFound: it ended more than a day ago, or never was."""
    if rows := tx.run(ONE, id=id_):
        return _read(rows[0])
    raise NotFound("operation", public_id("op", id_))


def list_operations(tx: Transaction, tenant: str | None, limit: int) -> list[Operation]:
    """The newest operations on dead letters, of one tenant or of all."""
    return [_read(row) for row in tx.run(NEWEST, tenant=tenant, limit=limit)]


def pause_operation(tx: Transaction, id_: str, actor: str) -> Operation:
    """Stop doing pages of an operation until it is resumed; one that is paused or over stays as it is."""
    return _controlled(tx, PAUSE, id_, actor, "pause")


def resume_operation(tx: Transaction, id_: str, actor: str) -> Operation:
    """Go on with an operation that was paused."""
    return _controlled(tx, RESUME, id_, actor, "resume")


def abort_operation(tx: Transaction, id_: str, actor: str) -> Operation:
    """End an operation before its last page. What it has moved stays moved."""
    return _controlled(tx, ABORT, id_, actor, "abort")


def _controlled(tx: Transaction, statement: Statement, id_: str, actor: str, act: str) -> Operation:
    changed = tx.run(statement, id=id_, now=tx.now)
    found = find_operation(tx, id_)
    if changed:
        audit(tx, actor, AuditAction(f"{found.action}.{act}"), {"operation": public_id("op", id_)}, found.jobs)
    return found


def resting_operations(tx: Transaction, seconds: float) -> list[str]:
    """Open operations of which nobody did a page in the last ``seconds``: their message may be lost."""
    return [row.id for row in tx.run(RESTING, since=tx.now - to_micros(seconds))]


def delete_done_operations(tx: Transaction) -> None:
    """Delete operations that ended a day ago, and drains of a month ago with their exports."""
    for row in tx.run(DELETE_ENDED, date=tx.now - KEEP, exports_date=tx.now - KEEP_EXPORTS):
        if row.action == BulkAction.DRAIN:
            drop_export(tx, row.id)


def delete_export(tx: Transaction, id_: str, actor: str) -> None:
    """Delete what a drain that ended has written, and its operation. Raises NotFound."""
    jobs = find_operation(tx, id_).jobs
    if not tx.run(DELETE_DRAIN, id=id_):
        raise NotFound("export", public_id("op", id_))
    drop_export(tx, id_)
    audit(tx, actor, AuditAction.EXPORT_DELETE, {"operation": public_id("op", id_)}, jobs)


def take_operation(tx: Transaction, id_: str) -> Operation | None:
    """Lock an open operation for this transaction. None: it is done, or another process does a page of it now."""
    return next((_read(row) for row in tx.run(TAKE, id=id_)), None)


def note_progress(tx: Transaction, operation: Operation) -> bool:
    progress = {"jobs": operation.jobs, "next_start": operation.next_start, "cursor": operation.cursor}
    tx.run(MOVE, id=operation.id, now=tx.now, ended_at=operation.ended_at, **progress)
    return not operation.done


def frozen_filter(operation: Operation) -> JobFilter:
    dates = (operation.where.finished_before, to_seconds(operation.until))
    return replace(operation.where, finished_before=min(date for date in dates if date is not None))


def filter_fields(where: JobFilter) -> dict[str, Any]:
    """What narrows a filter, fit for JSON."""
    fields = {name: value for name, value in asdict(where).items() if value is not None}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in fields.items()}


def edit_fields(edit: ReplayEdit) -> dict[str, Any]:
    """What an edit changes, fit for JSON."""
    return {name: value for name, value in asdict(edit).items() if value is not None}


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
        eligible=row.eligible,
        edit=EDIT.validate_json(row.edit) if row.edit else dead_letters.NO_EDIT,
        created_at=row.created_at,
        moved_at=row.moved_at,
        paused_at=row.paused_at,
        aborted_at=row.aborted_at,
        ended_at=row.ended_at,
    )
