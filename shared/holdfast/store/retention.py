"""Retention: jobs that ended long ago go, with their request, attempts and results, a page of ids at a time.

Ids sort by the time at which a producer made them, so whatever ended before a date has an id from before it: a walk
along the primary key finds them without an index that every settlement would have to keep up. The walk only reads; a
page that has something to delete is one small transaction.
What goes stays in the books: the totals count it as dropped, with its calls and their cost.
"""

from collections import Counter
from collections.abc import Sequence

from holdfast.model.job import State
from holdfast.store.dead_letters import drop_parts
from holdfast.store.micros import MICROS
from holdfast.store.responses import delete_orphans
from holdfast.store.sql import ENDED, Statement
from holdfast.store.transaction import Transaction

OLD = Statement("""
    select id from job where id > :after and id < :before and finished_at < :date order by id limit :limit
""")
DELETE = Statement(f"""
    delete from job where id in ($ids) and state in ({ENDED}) and finished_at < :date
    returning id, lane, batch, state, fault
""")  # noqa: S608 - the states stand in the code
EMPTY_BATCHES = Statement("""
    delete from batch where created_at < :date and not exists (select 1 from job where job.batch = batch.id)
    and not exists (select 1 from batch_order where batch_order.batch = batch.id and ended_at is null)
    returning id
""")
LEFT_ORDERS = Statement("delete from batch_order where batch in ($ids)")
LEFT_BAD_LINES = Statement("delete from bad_line where batch in ($ids)")
LEFT_CHUNKS = Statement("""
    delete from file_chunk where file < :before and not exists (select 1 from file where file.id = file_chunk.file)
    and not exists (select 1 from batch_order where batch_order.file = file_chunk.file and ended_at is null)
""")
LEFT_COUNTS = Statement("delete from tally where kind = 'batch' and name in ($ids)")
GONE_WORKERS = Statement("""
    delete from worker where stopped_at < :date
    and not exists (select 1 from attempt where attempt.worker = worker.id and attempt.ended_at is null)
    and not exists (select 1 from job where job.worker = worker.id and job.state = 'running')
""")
KEEP_WORKERS = 86_400 * MICROS  # a stopped process stays listed for a day


def find_ended(tx: Transaction, date: int, after: str, limit: int) -> list[str]:
    """The next ``limit`` jobs beyond id ``after`` that ended before ``date``, in microseconds since the epoch."""
    return [row.id for row in tx.run(OLD, after=after, before=first_id(date), date=date, limit=limit)]


def delete_jobs(tx: Transaction, ids: Sequence[str], date: int) -> int:
    """Delete those of ``ids`` that ended before ``date``, whatever became of them since. Answers how many."""
    gone = tx.run(DELETE, ids=list(ids), date=date)
    if gone:
        drop_parts(tx, [row.id for row in gone])
    for row in gone:
        if row.state == State.DEAD:
            tx.count("dead", row.fault, amount=-1)
    moved = Counter((row.lane, row.batch, row.state) for row in gone)
    for (lane, batch, state), jobs in moved.items():
        tx.moved(lane, batch, State(state), None, jobs)
    return len(gone)


def delete_empty_batches(tx: Transaction, date: int) -> None:
    """Delete old batches whose jobs are gone, with counts and orders, in a transaction after that of the last job.

    So are answers to jobs that code of an earlier revision deleted, and files whose upload broke off.
    """
    delete_orphans(tx, first_id(date))
    tx.run(LEFT_CHUNKS, before=first_id(date))
    if empty := [row.id for row in tx.run(EMPTY_BATCHES, date=date)]:
        for left in (LEFT_COUNTS, LEFT_ORDERS, LEFT_BAD_LINES):
            tx.run(left, ids=empty)


def delete_stopped_workers(tx: Transaction) -> None:
    """Delete processes that stopped a day ago, so that looking for the living stays cheap in a fleet that scales."""
    tx.run(GONE_WORKERS, date=tx.now - KEEP_WORKERS)


def first_id(date: int) -> str:
    """The least id that a producer can make at ``date`` (microseconds): its milliseconds, then nothing.

    >>> first_id(1_700_000_000_000_000)
    '018bcfe5680000000000000000000000'
    """
    return f"{max(0, date * 1000 // MICROS):012x}".ljust(32, "0")
