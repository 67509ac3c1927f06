"""The ledger (stub)."""

from holdfast.model.records import LedgerLine
from holdfast.store.database import Transaction


def read_ledger(tx: Transaction) -> list[LedgerLine]:
    return []
