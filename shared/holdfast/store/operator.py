"""What operators force, and the book of who did what."""

from typing import Literal

import orjson

from holdfast.store.database import Transaction
from holdfast.store.sql import Statement

OverrideKind = Literal["lane", "route"]

OVERRIDES = Statement("select kind, name, value from override order by kind, name")
SET = Statement("""
    insert into override (kind, name, value, actor, set_at) values (:kind, :name, :value, :actor, :now)
    on conflict (kind, name) do update set value = excluded.value, actor = excluded.actor, set_at = excluded.set_at
""")
CLEAR = Statement("delete from override where kind = :kind and name = :name")
AUDIT = Statement("""
    insert into audit (at, actor, action, what, jobs) values (:now, :actor, :action, :what, :jobs)
""")


def set_override(tx: Transaction, kind: OverrideKind, name: str, value: str | None, actor: str) -> None:
    """Force a lane or a route; None takes the force away."""
    if value is None:
        tx.run(CLEAR, kind=kind, name=name)
    else:
        tx.run(SET, kind=kind, name=name, value=value, actor=actor, now=tx.now)
    audit(tx, actor, "override", {"kind": kind, "name": name, "value": value})


def read_overrides(tx: Transaction) -> dict[tuple[OverrideKind, str], str]:
    return {(row.kind, row.name): row.value for row in tx.run(OVERRIDES)}


def audit(tx: Transaction, actor: str, action: str, what: object, jobs: int = 0) -> None:
    """Write down an operator's act, in the transaction that does it."""
    tx.run(AUDIT, now=tx.now, actor=actor, action=action, what=orjson.dumps(what).decode(), jobs=jobs)
