"""The key with which messages in Redis are signed: the operator's, or a random one that this database keeps."""

import secrets

from holdfast.store.sql import Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

KEEP = Statement("insert into secret (name, value) values (:name, :value) on conflict (name) do nothing")
READ = Statement("select value from secret where name = :name")
MESSAGE = "message"
BYTES = 32


def message_key(store: Store, configured: str | None = None) -> bytes:
    """Return the key that every process of this storage uses. Raises StorageUnavailable."""
    if configured:
        return configured.encode()
    found = store.read(_read)
    return (found or store.write(_make)).encode()


def _read(tx: Transaction) -> str | None:
    return next((str(row.value) for row in tx.run(READ, name=MESSAGE)), None)


def _make(tx: Transaction) -> str:
    """The first process makes the key; the others find it."""
    tx.run(KEEP, name=MESSAGE, value=secrets.token_hex(BYTES))
    return str(_read(tx))
