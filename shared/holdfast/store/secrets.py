"""Keys that every process of a storage shares: random ones that this database keeps, or the operator's own."""

import secrets

from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

KEEP = Statement("insert into secret (name, value) values (:name, :value) on conflict (name) do nothing")
READ = Statement("select value from secret where name = :name")
MESSAGE, SESSION = "message", "session"
BYTES = 32


def message_key(store: Store, configured: str | None = None) -> bytes:
    """Return the key with which messages in Redis are signed. Raises StorageUnavailable."""
    return configured.encode() if configured else _shared_key(store, MESSAGE)


def session_key(store: Store) -> bytes:
    """Return the key with which the dashboard's cookies are sealed. Raises StorageUnavailable."""
    return _shared_key(store, SESSION)


def _shared_key(store: Store, name: str) -> bytes:
    found = store.read(_read, name)
    return (found or store.write(_make, name)).encode()


def _read(tx: Transaction, name: str) -> str | None:
    return next((str(row.value) for row in tx.run(READ, name=name)), None)


def _make(tx: Transaction, name: str) -> str:
    """The first process makes the key; the others find it."""
    tx.run(KEEP, name=name, value=secrets.token_hex(BYTES))
    return str(_read(tx, name))
