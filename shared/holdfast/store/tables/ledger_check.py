"""When the ledger was last counted in full, for all processes together, and what came of it."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class LedgerCheckRow(SQLModel, table=True):
    """The last full count, and when the next one is due."""

    __tablename__ = "ledger_check"

    id: int = Field(primary_key=True)
    """1: there is one row."""
    next_at: int = Field(sa_type=BigInteger)
    """From when on a process may count: moved on by the one that begins, for as long as it may take, and at its end."""
    checked_at: int | None = Field(default=None, sa_type=BigInteger)
    """When the last count ended, set by its process; null: none has yet."""
    broken: str | None = None
    """JSON list of the rules that did not hold then, set with it."""
