"""Files that clients uploaded: seen once their last chunk is kept, deleted when their owner or their date says so."""

from collections.abc import Sequence
from typing import Any

from holdfast.model.client_file import ClientFile
from holdfast.store.file_chunks import drop_chunks
from holdfast.store.micros import NEVER, to_micros, to_seconds
from holdfast.store.repeats import demand_same, look_for
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

AT_ONCE = 10  # files that are deleted in one transaction: each may have thousands of chunks
COLUMNS = "id, tenant, filename, purpose, size, lines, created_at, expires_at"

INSERT = Statement("""
    insert into file (id, tenant, filename, purpose, size, lines, fingerprint, created_at, expires_at)
    values (:id, :tenant, :filename, :purpose, :size, :lines, :fingerprint, :now, :expires_at)
    on conflict do nothing
""")
ONE = Statement(f"""
    select {COLUMNS} from file
    where id = :id and expires_at > :now and (cast(:tenant as text) is null or tenant = :tenant)
""")  # noqa: S608 - the columns stand above
REPEATED = Statement(f"""
    select fingerprint, {COLUMNS} from file
    where fingerprint >= :first and fingerprint < :last and tenant = :tenant and created_at >= :since
    and expires_at > :now
    order by created_at limit 1
""")  # noqa: S608
NEWEST = Statement(f"""
    select {COLUMNS} from file
    where (cast(:tenant as text) is null or tenant = :tenant) and (cast(:purpose as text) is null or purpose = :purpose)
    and (cast(:after as text) is null or id < :after) and expires_at > :now
    order by id desc limit :limit
""")  # noqa: S608
OLDEST = Statement(f"""
    select {COLUMNS} from file
    where (cast(:tenant as text) is null or tenant = :tenant) and (cast(:purpose as text) is null or purpose = :purpose)
    and (cast(:after as text) is null or id > :after) and expires_at > :now
    order by id limit :limit
""")  # noqa: S608
READERS = Statement("select batch from batch_order where file = :id and read_at is null and ended_at is null limit 1")
DELETE = Statement("delete from file where id = :id returning id")
EXPIRED = Statement("""
    select id from file where expires_at <= :now
    and not exists (select 1 from batch_order where batch_order.file = file.id and ended_at is null)
    order by expires_at limit :limit
""")


def add_file(tx: Transaction, file: ClientFile, fingerprint: str, expires_in: float | None) -> ClientFile:
    """Show a file whose chunks are kept."""
    tx.run(
        INSERT,
        id=file.id,
        tenant=file.tenant,
        filename=file.filename,
        purpose=file.purpose,
        size=file.size,
        lines=file.lines,
        fingerprint=fingerprint,
        now=tx.now,
        expires_at=NEVER if expires_in is None else tx.now + to_micros(expires_in),
    )
    found = find_file(tx, file.id, file.tenant)
    assert found is not None
    return found


def find_file(tx: Transaction, id_: str, tenant: str | None = None) -> ClientFile | None:
    """Return a file; None where there is none, or it is another tenant's."""
    rows = tx.run(ONE, id=id_, tenant=tenant, now=tx.now)
    return _record(rows[0]) if rows else None


def find_repeated_file(tx: Transaction, tenant: str, fingerprint: str, within: float) -> ClientFile | None:
    """Return the file that the same upload made in the last ``within`` seconds. Raises Conflict: its key did."""
    rows = tx.run(REPEATED, tenant=tenant, now=tx.now, **look_for(tx, fingerprint, within))
    demand_same(rows, fingerprint)
    return _record(rows[0]) if rows else None


def list_files(
    tx: Transaction, tenant: str | None, limit: int, *, after: str | None, purpose: str | None, oldest_first: bool
) -> list[ClientFile]:
    """Return a page of files, beyond ``after``."""
    page = OLDEST if oldest_first else NEWEST
    rows = tx.run(page, tenant=tenant, after=after, purpose=purpose, limit=limit, now=tx.now)
    return [_record(row) for row in rows]


def is_being_read(tx: Transaction, id_: str) -> bool:
    """Tell whether a batch is being made of a file."""
    return bool(tx.run(READERS, id=id_))


def delete_file(tx: Transaction, id_: str) -> None:
    """Delete a file with its content."""
    if tx.run(DELETE, id=id_):
        drop_chunks(tx, id_)


def delete_expired_files(tx: Transaction) -> int:
    """Delete files whose date has come, unless a batch needs them still. Answers how many."""
    expired: Sequence[Any] = tx.run(EXPIRED, now=tx.now, limit=AT_ONCE)
    for row in expired:
        delete_file(tx, row.id)
    return len(expired)


def _record(row: Any) -> ClientFile:
    return ClientFile(
        id=row.id,
        tenant=row.tenant,
        filename=row.filename,
        purpose=row.purpose,
        size=row.size,
        lines=row.lines,
        created_at=to_seconds(row.created_at),
        expires_at=None if row.expires_at == NEVER else to_seconds(row.expires_at),
    )
