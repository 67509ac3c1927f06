"""API keys: made, listed, revoked, marked as used. Each act stands in the audit log, in its own transaction."""

import secrets
from collections.abc import Sequence
from typing import Any

from holdfast.model.access import KeyRecord, KeyScope, NewKey, digest_of, key_text, read_scopes
from holdfast.model.audit_action import AuditAction
from holdfast.model.errors import NotFound
from holdfast.store.audit import audit
from holdfast.store.micros import MICROS, to_micros, to_seconds, to_seconds_or_none
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

ID_BYTES, SECRET_BYTES = 8, 24  # 192 bits that nobody can guess
REMEMBER = 60 * MICROS  # a key's last use is written at most so often
COLUMNS = "id, name, tenant, scopes, digest, created_at, created_by, expires_at, revoked_at, used_at"

INSERT = Statement("""
    insert into api_key (id, name, tenant, scopes, digest, created_at, created_by, expires_at)
    values (:id, :name, :tenant, :scopes, :digest, :now, :actor, :expires_at)
""")
KEYS = Statement(f"select {COLUMNS} from api_key order by created_at desc, id")  # noqa: S608 - the columns stand here
ONE = Statement(f"select {COLUMNS} from api_key where id = :id")  # noqa: S608
REVOKE = Statement("update api_key set revoked_at = :now where id = :id and revoked_at is null returning id")
USED = Statement("""
    update api_key set used_at = :now where id in ($ids) and (used_at is null or used_at < :since)
""")


def make_key(
    name: str, tenant: str | None, scopes: frozenset[KeyScope], expires_in: float | None = None
) -> tuple[NewKey, str]:
    """Draw a new key: what is kept of it, and the text that its owner gets, which is kept nowhere."""
    id_, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    return NewKey(id_, name, tenant, scopes, digest_of(secret), expires_in), key_text(id_, secret)


def create_key(tx: Transaction, key: NewKey, actor: str) -> KeyRecord:
    """Keep a new key."""
    expires_at = None if key.expires_in is None else tx.now + to_micros(key.expires_in)
    scopes = " ".join(sorted(key.scopes))
    tx.run(
        INSERT,
        id=key.id,
        name=key.name,
        tenant=key.tenant,
        scopes=scopes,
        digest=key.digest,
        now=tx.now,
        actor=actor,
        expires_at=expires_at,
    )
    audit(tx, actor, AuditAction.KEY_CREATE, {"id": key.id, "name": key.name, "tenant": key.tenant, "scopes": scopes})
    return read_key_record(tx.run(ONE, id=key.id)[0])


def revoke_key(tx: Transaction, id_: str, actor: str) -> KeyRecord:
    """End a key, once: a second time changes nothing. Raises NotFound."""
    if tx.run(REVOKE, id=id_, now=tx.now):
        audit(tx, actor, AuditAction.KEY_REVOKE, {"id": id_})
    found = tx.run(ONE, id=id_)
    if not found:
        raise NotFound("key", id_)
    return read_key_record(found[0])


def read_keys(tx: Transaction) -> tuple[list[KeyRecord], float]:
    """Every key that was ever made, newest first, and the time by the database's clock."""
    return [read_key_record(row) for row in tx.run(KEYS)], to_seconds(tx.now)


def mark_used(tx: Transaction, ids: Sequence[str]) -> None:
    """Note that keys are in use, once a minute at most."""
    tx.run(USED, ids=list(ids), now=tx.now, since=tx.now - REMEMBER)


def read_key_record(row: Any) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        name=row.name,
        tenant=row.tenant,
        scopes=read_scopes(row.scopes.split()),
        digest=row.digest,
        created_at=to_seconds(row.created_at),
        created_by=row.created_by,
        expires_at=to_seconds_or_none(row.expires_at),
        revoked_at=to_seconds_or_none(row.revoked_at),
        used_at=to_seconds_or_none(row.used_at),
    )
