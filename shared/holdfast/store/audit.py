"""The audit log: who did what, written in the transaction that does it."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import orjson

from holdfast.model.audit_action import AuditAction
from holdfast.model.records import AuditRecord
from holdfast.store.micros import micros_range, to_seconds
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

AUDIT = Statement("""
    insert into audit (at, actor, action, what, jobs) values (:now, :actor, :action, :what, :jobs)
""")
NARROWINGS: Mapping[str, str] = {"actor": "actor = :actor", "ids": "action in ($ids)", "before": "id < :before"}


def audit(tx: Transaction, actor: str, action: AuditAction, what: object, jobs: int = 0) -> None:
    """Write down an operator's act, in the transaction that does it."""
    tx.run(AUDIT, now=tx.now, actor=actor, action=action, what=orjson.dumps(what).decode(), jobs=jobs)


def list_audit(
    tx: Transaction,
    limit: int,
    before: int | None = None,
    *,
    actor: str | None = None,
    actions: Collection[AuditAction] | None = None,
    created_after: float | None = None,
    created_before: float | None = None,
) -> list[AuditRecord]:
    """Return acts, newest first; ``before`` is the id that the last page ended with."""
    least, end = micros_range(created_after, created_before)
    chosen = {"actor": actor, "ids": None if actions is None else list(actions), "before": before}
    given = {name: value for name, value in chosen.items() if value is not None}
    return [_read(row) for row in tx.run(_page(frozenset(given)), **given, least=least, end=end, limit=limit)]


@cache
def _page(narrowed: frozenset[str]) -> Statement:
    conditions = ["at >= :least", "at < :end", *(words for name, words in NARROWINGS.items() if name in narrowed)]
    return Statement(f"""
        select id, at, actor, action, what, jobs from audit where {" and ".join(conditions)}
        order by id desc limit :limit
    """)  # noqa: S608 - the conditions stand above


def _read(row: Any) -> AuditRecord:
    return AuditRecord(row.id, to_seconds(row.at), row.actor, row.action, orjson.loads(row.what), row.jobs)
