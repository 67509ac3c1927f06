"""What happened, in the order in which whoever listens reads it."""

from sqlalchemy import BigInteger, Integer, String
from sqlmodel import Field, SQLModel


class OutboxRow(SQLModel, table=True):
    """What one transaction ended. Written with it, never changed, deleted when it is old."""

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer, "sqlite"))
    """Drawn as the row is written, never given twice. Postgres may commit a lower one later: see ``read_horizon``."""
    at: int = Field(sa_type=BigInteger)
    """When, by the database's clock. Retention counts from here."""
    events: str
    """JSON list of lists: kind, tenant, batch, job, generation, custom_id, model, fault, and of a batch its counts."""


class OutboxCursorRow(SQLModel, table=True):
    """How far a reader that must miss nothing has come, moved in the transaction in which it acts on what it read."""

    __tablename__ = "outbox_cursor"

    reader: str = Field(primary_key=True, sa_type=String(32))
    """Who reads: ``batches``, ``webhooks``; ``deleted`` is retention, which nobody may be behind."""
    after: str = Field(sa_type=String(32))
    """The id of the last event that it has read."""
