"""Changes that a replay makes to its jobs' requests: a larger maximum, written into what the producer wrote."""

from collections.abc import Sequence

from sqlalchemy import select

from holdfast.store.records import REQUEST
from holdfast.store.request_codec import decode_request, encode_edited
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction
from holdfast.wire.maximum import with_maximum

WRITE = Statement("""
    with v as ($rows(job text, body bytes)) update request set body = v.body from v where request.job = v.job
""")
RESERVE = Statement("update job set output_tokens = :most where id in ($ids)")


def raise_maximum(tx: Transaction, jobs: Sequence[str], most: int) -> None:
    """Let the answers of jobs have ``most`` tokens, and have the gate reserve so many."""
    rows = tx.select(select(REQUEST.c.job, REQUEST.c.body).where(REQUEST.c.job.in_(jobs)))
    edited = [[row.job, encode_edited(with_maximum(decode_request(row.body), most))] for row in rows]
    tx.run(WRITE, rows=edited)
    tx.run(RESERVE, ids=[row.job for row in rows], most=most)
