"""What operators force: lanes that are paused, routes that are open or closed."""

from typing import Literal

from holdfast.model.audit_action import AuditAction
from holdfast.store.audit import audit
from holdfast.store.micros import to_seconds
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

OverrideKind = Literal["lane", "route"]

OVERRIDES = Statement("select kind, name, value from override order by kind, name")
AUTHORS = Statement("select kind, name, actor, set_at from override")
SET = Statement("""
    insert into override (kind, name, value, actor, set_at) values (:kind, :name, :value, :actor, :now)
    on conflict (kind, name) do update set value = excluded.value, actor = excluded.actor, set_at = excluded.set_at
""")
CLEAR = Statement("delete from override where kind = :kind and name = :name")


def set_override(tx: Transaction, kind: OverrideKind, name: str, value: str | None, actor: str) -> None:
    """Force a lane (``paused``) or a route (``open``, ``closed``); None takes the force away."""
    if value is None:
        tx.run(CLEAR, kind=kind, name=name)
    else:
        tx.run(SET, kind=kind, name=name, value=value, actor=actor, now=tx.now)
    audit(tx, actor, AuditAction.OVERRIDE, {"kind": kind, "name": name, "value": value})


def read_overrides(tx: Transaction) -> dict[tuple[OverrideKind, str], str]:
    """What is forced now, by kind and name."""
    return {(row.kind, row.name): row.value for row in tx.run(OVERRIDES)}


def read_override_authors(tx: Transaction) -> dict[tuple[OverrideKind, str], tuple[str, float]]:
    """Who forced what is forced now, and when, in seconds since the epoch."""
    return {(row.kind, row.name): (row.actor, to_seconds(row.set_at)) for row in tx.run(AUTHORS)}
