"""What a drain takes: dead letters leave the jobs in the transaction that keeps them as lines of an export.

Each is a job or a line, never both and never neither, whoever dies in the middle. An export is kept in pages, as the
drain wrote them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.model.records import JobFilter
from holdfast.store import dead_letters
from holdfast.store.codec import encode_body, inflate
from holdfast.store.jobs import find_detail
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

MOST_BYTES = 4 * 2**20  # of lines in a page: it ends with the line that makes it so large

KEEP = Statement("""
    with v as ($rows(operation text, number bigint, body bytes))
    insert into drained_page (operation, number, body) select operation, number, body from v where true
""")
READ = Statement("select body from drained_page where operation = :operation and number = :number")
DROP = Statement("delete from drained_page where operation = :operation")


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters that a drain takes next, oldest first: their ids, and a line for each; ``packed``: all lines.

    ``over``: there are none left.
    """

    ids: Sequence[str]
    lines: Sequence[bytes]
    packed: bytes
    over: bool


def next_letters(tx: Transaction, where: JobFilter, limit: int) -> Letters:
    """Read the next page of a drain, and write its lines."""
    from holdfast.wire.dead_letter_line import dead_letter_line  # noqa: PLC0415 - it reads requests, which few need

    ids, lines, size = list[str](), list[bytes](), 0
    found = dead_letters.oldest(tx, where, limit)
    for job in found:
        if size < MOST_BYTES and (detail := find_detail(tx, job)) is not None:
            ids.append(job)
            lines.append(dead_letter_line(detail))
            size += len(lines[-1])
    return Letters(ids, lines, encode_body(b"".join(lines)), over=not found)


def keep_letters(tx: Transaction, operation: str, page: int, letters: Letters) -> int:
    """Move letters into a page of an export; not those that somebody replayed meanwhile. Answers how many."""
    gone = dead_letters.drop_letters(tx, letters.ids)
    if gone:
        lines = [line for job, line in zip(letters.ids, letters.lines, strict=True) if job in gone]
        body = letters.packed if len(gone) == len(letters.ids) else encode_body(b"".join(lines))
        tx.run(KEEP, rows=[[operation, page, body]])
    tx.crash_point("mid_drain")
    return len(gone)


def read_export(tx: Transaction, operation: str, page: int) -> bytes | None:
    """Return the lines of a page, the first of which is 0; None: the export ends before it."""
    found = tx.run(READ, operation=operation, number=page)
    return inflate(found[0].body) if found else None


def drop_export(tx: Transaction, operation: str) -> None:
    """Delete every page of an export."""
    tx.run(DROP, operation=operation)
