"""The audit log: who did what, written in the transaction that does it."""

import orjson

from holdfast.model.records import AuditRecord
from holdfast.store.micros import to_seconds
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

AUDIT = Statement("""
    insert into audit (at, actor, action, what, jobs) values (:now, :actor, :action, :what, :jobs)
""")
NEWEST = Statement("select id, at, actor, action, what, jobs from audit order by id desc limit :limit")


def audit(tx: Transaction, actor: str, action: str, what: object, jobs: int = 0) -> None:
    """Write down an operator's act, in the transaction that does it."""
    tx.run(AUDIT, now=tx.now, actor=actor, action=action, what=orjson.dumps(what).decode(), jobs=jobs)


def read_audit(tx: Transaction, limit: int) -> list[AuditRecord]:
    """The newest acts, newest first."""
    return [
        AuditRecord(row.id, to_seconds(row.at), row.actor, row.action, orjson.loads(row.what), row.jobs)
        for row in tx.run(NEWEST, limit=limit)
    ]
