"""The audit log: who did what, written in the transaction that does it."""

import orjson

from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

AUDIT = Statement("""
    insert into audit (at, actor, action, what, jobs) values (:now, :actor, :action, :what, :jobs)
""")


def audit(tx: Transaction, actor: str, action: str, what: object, jobs: int = 0) -> None:
    """Write down an operator's act, in the transaction that does it."""
    tx.run(AUDIT, now=tx.now, actor=actor, action=action, what=orjson.dumps(what).decode(), jobs=jobs)
