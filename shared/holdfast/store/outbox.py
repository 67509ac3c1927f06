"""The outbox: what transactions ended, read in order by whoever listens, and nothing passed over.

A row's id is drawn before its transaction commits, so on Postgres a lower id may become visible after a higher one. A
reader that went on from the highest it saw would never see it. Each writer therefore holds a shared advisory lock, from
before it draws its id to its commit, whose key names the last id drawn by then; a reader goes no further than the least
of these (``read_horizon``). SQLite has one writer at a time.
"""

from itertools import count

import orjson

from holdfast.model.errors import EventsAhead, EventsGone
from holdfast.model.event import START, Event, EventKind, event_id, row_of
from holdfast.store.micros import to_micros, to_seconds
from holdfast.store.sql import SQLITE, Statement
from holdfast.store.store import Store
from holdfast.store.transaction import OUTBOX_LOCK, Transaction

LAST_PLACE = (1 << 64) - 1  # of a row: beyond any that has an event
MOST_ROWS = 100  # that are read at once; a row holds up to a thousand events
DELETED = "deleted"  # the cursor that retention moves
DELETE_PAGE = 500  # rows in one transaction
KEEP_UNREAD = 7 * 86_400.0  # seconds

LAST_DRAWN = {
    "sqlite": Statement("select coalesce(max(seq), 0) as id from sqlite_sequence where name = 'outbox'"),
    "postgresql": Statement("select last_value - case when is_called then 0 else 1 end as id from outbox_id_seq"),
}
OPEN_WRITERS = Statement("""
    select min(((cast(classid as bigint) & 65535) << 32) | cast(objid as bigint)) as id from pg_locks
    where locktype = 'advisory' and objsubid = 1 and (cast(classid as bigint) >> 16) = :space
    and database = (select oid from pg_database where datname = current_database())
""")
ROWS = Statement("""
    select id, at, events from outbox where id >= :row and id <= :horizon order by id limit :limit
""")
OLDEST = Statement("select id, at, events from outbox order by id limit :limit")
DELETE = Statement("delete from outbox where id <= :id")
CURSOR = Statement("select after from outbox_cursor where reader = :reader")
READERS = Statement("select after from outbox_cursor where reader <> :deleted")
MOVE_CURSOR = Statement("""
    insert into outbox_cursor (reader, after) values (:reader, :after)
    on conflict (reader) do update set after = excluded.after
""")
LOCK_CURSOR = Statement("""
    insert into outbox_cursor (reader, after) values (:reader, :after)
    on conflict (reader) do update set after = outbox_cursor.after
    returning after
""")


def read_horizon(tx: Transaction) -> int:
    """Return the last row up to which nothing is missing and nothing will come.

    On Postgres the rows must be read in a statement with a later snapshot: in another ``store.read``, or within one
    ``store.write``.
    """
    last = int(tx.run(LAST_DRAWN[tx.dialect.name])[0].id)
    if tx.dialect is SQLITE:
        return last
    bound = tx.run(OPEN_WRITERS, space=OUTBOX_LOCK)[0].id
    return last if bound is None else min(last, int(bound))


def read_events(tx: Transaction, after: str, horizon: int, limit: int = 1_000) -> list[Event]:
    """Return at most ``limit`` events beyond ``after``, in order. Fewer: there are no more up to ``horizon``."""
    found: list[Event] = []
    row = row_of(after)
    while len(found) < limit:
        rows = tx.run(ROWS, row=row, horizon=horizon, limit=MOST_ROWS)
        for each in rows:
            found += (event for event in _decode(each.id, each.at, each.events) if event.id > after)
            if len(found) >= limit:
                break
        if len(rows) < MOST_ROWS:
            break
        row = rows[-1].id + 1
    return found[:limit]


def _decode(row: int, at: int, events: str) -> list[Event]:
    return [
        Event(event_id(row, place), EventKind(kind), to_seconds(at), tenant, batch, *job)
        for place, (kind, tenant, batch, *job) in zip(count(), orjson.loads(events), strict=False)
    ]


def poll_events(store: Store, after: str, limit: int = 1_000) -> list[Event]:
    """Return the next events beyond ``after``. Raises EventsGone where some of them are deleted already."""
    horizon = store.read(read_horizon)
    return store.read(_read_kept, after, horizon, limit)


def _read_kept(tx: Transaction, after: str, horizon: int, limit: int) -> list[Event]:
    check_kept(tx, after)
    return read_events(tx, after, horizon, limit)


def check_kept(tx: Transaction, after: str) -> None:
    """Raise EventsGone unless every event beyond ``after`` is kept; EventsAhead where ``after`` is not from here."""
    if after < read_oldest_position(tx):
        raise EventsGone(after, "events after it have been deleted")
    if row_of(after) > int(tx.run(LAST_DRAWN[tx.dialect.name])[0].id):
        raise EventsAhead(after)


def read_oldest_position(tx: Transaction) -> str:
    """Return the position before the oldest event that is kept: a reader that begins there misses none of those."""
    return read_cursor(tx, DELETED) or START


def newest_position(store: Store) -> str:
    """Return the position after all that happened until now; whoever begins there hears only of what follows."""
    return event_id(store.read(read_horizon), LAST_PLACE)


def read_cursor(tx: Transaction, reader: str) -> str | None:
    """Return the id of the last event that a reader has read; None: it has never been here."""
    found = tx.run(CURSOR, reader=reader)
    return found[0].after if found else None


def lock_cursor(tx: Transaction, reader: str, start: str) -> str:
    """Return the cursor of a reader, which begins at ``start``, and let no other process move it before the commit."""
    return str(tx.run(LOCK_CURSOR, reader=reader, after=start)[0].after)


def move_cursor(tx: Transaction, reader: str, after: str) -> None:
    tx.run(MOVE_CURSOR, reader=reader, after=after)


def delete_events(tx: Transaction, keep: float) -> int:
    """Delete events older than ``keep`` seconds, a page of rows. Answers how many; less than a page: no more are.

    What a reader with a cursor has yet to read is kept for ``KEEP_UNREAD``, or ``keep`` where that is longer.
    """
    read = min((row_of(row.after) for row in tx.run(READERS, deleted=DELETED)), default=None)
    date, unread_date = tx.now - to_micros(keep), tx.now - to_micros(max(keep, KEEP_UNREAD))
    old = [
        row
        for row in tx.run(OLDEST, limit=DELETE_PAGE)
        if row.at < (date if read is None or row.id <= read else unread_date)
    ]
    if old:
        last = max(old, key=lambda row: int(row.id))
        tx.run(DELETE, id=last.id)
        move_cursor(tx, DELETED, _decode(last.id, last.at, last.events)[-1].id)
    return len(old)
