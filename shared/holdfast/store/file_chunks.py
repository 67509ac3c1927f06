"""The content of kept files, in chunks of one size: written while it comes in, read a part at a time."""

from collections.abc import Sequence

from holdfast.store.codec import encode_body, inflate
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

CHUNK = 1024 * 1024  # bytes of all but the last

WRITE = Statement("""
    with v as ($rows(file text, number bigint, body bytes))
    insert into file_chunk (file, number, body) select file, number, body from v where true
    on conflict do nothing
""")
READ = Statement("select body from file_chunk where file = :file and number = :number")
DROP = Statement("delete from file_chunk where file = :file")


def write_chunks(tx: Transaction, file: str, first: int, chunks: Sequence[bytes]) -> None:
    """Keep chunks ``first`` and those behind it; ``chunks`` as ``pack_chunk`` made them."""
    tx.run(WRITE, rows=[[file, number, body] for number, body in enumerate(chunks, first)])


def pack_chunk(content: bytes) -> bytes:
    """Compress a chunk, before a transaction begins."""
    return encode_body(content)


def read_chunk(tx: Transaction, file: str, number: int) -> bytes | None:
    """Return a chunk as it was before it was packed; None where the file ends before it."""
    found = tx.run(READ, file=file, number=number)
    return inflate(found[0].body) if found else None


def drop_chunks(tx: Transaction, file: str) -> None:
    """Delete the content of a file."""
    tx.run(DROP, file=file)
