"""Retention: jobs that ended long ago go, with their request, attempts and results, a page of ids at a time.

Ids sort by the time at which a producer made them, so whatever ended before a date has an id from before it: a walk
along the primary key finds them without an index that every settlement would have to keep up.
What goes stays in the books: the totals count it as dropped, with its calls and their cost.
"""

from collections import Counter
from dataclasses import dataclass

from holdfast.model.job import State
from holdfast.store.database import Transaction
from holdfast.store.letters import drop_parts
from holdfast.store.micros import MICROS
from holdfast.store.sql import Statement
from holdfast.store.tables.job import ENDED

PAGE = Statement("""
    select id, state, finished_at from job where id > :after and id < :before order by id limit :limit
""")
DELETE = Statement(f"""
    delete from job where id in ($ids) and state in ({ENDED}) and finished_at < :date
    returning id, lane, batch, state
""")  # noqa: S608 - the states stand in the code
EMPTY_BATCHES = Statement("""
    delete from batch where created_at < :date and not exists (select 1 from job where job.batch = batch.id)
""")
LEFT_COUNTS = Statement("""
    delete from tally where kind = 'batch' and not exists (select 1 from batch where batch.id = tally.name)
""")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many ``jobs`` of a page went; ``cursor`` is where the next page begins, None after the last."""

    jobs: int
    cursor: str | None


def forget(tx: Transaction, age: int, after: str, limit: int) -> Forgotten:
    """Delete what ended more than ``age`` microseconds ago among the next ``limit`` jobs; at the end, batches."""
    date = tx.now - age
    rows = tx.run(PAGE, after=after, before=first_id(date), limit=limit)
    old = [row.id for row in rows if row.finished_at is not None and row.finished_at < date]
    gone = tx.run(DELETE, ids=old, date=date) if old else ()
    if gone:
        drop_parts(tx, [row.id for row in gone])
    moved = Counter((row.lane, row.batch, row.state) for row in gone)
    for (lane, batch, state), jobs in moved.items():
        tx.moved(lane, batch, State(state), None, jobs)
    if len(rows) == limit:
        return Forgotten(len(gone), rows[-1].id)
    tx.run(EMPTY_BATCHES, date=date)
    tx.run(LEFT_COUNTS)
    return Forgotten(len(gone), None)


def first_id(date: int) -> str:
    """The least id that a producer can make at ``date`` (microseconds): its milliseconds, then nothing.

    >>> first_id(1_700_000_000_000_000)
    '018bcfe5680000000000000000000000'
    """
    return f"{max(0, date * 1000 // MICROS):012x}".ljust(32, "0")
