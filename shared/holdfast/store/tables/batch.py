"""Batches, and the running counts that make status cheap at a million jobs."""

from sqlalchemy import BigInteger, Index, String
from sqlmodel import Field, SQLModel


class BatchRow(SQLModel, table=True):
    """Jobs submitted together."""

    __tablename__ = "batch"
    __table_args__ = (Index("batch_tenant", "tenant", "id"),)

    id: str = Field(primary_key=True, sa_type=String(32))
    """Made by the producer, or by Holdfast where none is named."""
    tenant: str
    """Who owns it, from the key or the client that opened it."""
    name: str
    """What the producer calls it. Only people read it."""
    source: str | None = None
    """The file it was read from, where it was one. Only people read it."""
    webhook: str | None = Field(default=None, sa_type=String(32))
    """The receiver that is told of its end, from the submit that opened it or joined it; null where none named one."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was opened. Retention deletes the row once its last job is gone and this is old."""
    ended_event: int | None = Field(default=None, sa_type=BigInteger)
    """The row of the outbox that told of its end, set by whoever tells; null: nobody has. A later end is told anew."""


class TallyRow(SQLModel, table=True):
    """Jobs by state of a lane or a batch, moved in the transaction that moves the jobs.

    One row per writer (``shard``), so that no row is hot; the count is their sum. ``kind`` is ``lane``, ``batch``, or
    ``total`` for what was ever accepted and dropped.
    """

    __tablename__ = "tally"
    __table_args__ = ({"sqlite_with_rowid": False},)

    kind: str = Field(primary_key=True)
    """``lane``, ``batch``, or ``total`` for what was ever accepted and dropped."""
    name: str = Field(primary_key=True)
    """The lane, the batch's id, or which total."""
    state: str = Field(primary_key=True)
    """The state whose jobs are counted; empty for a total."""
    shard: int = Field(primary_key=True)
    """Which writer's share this is, so that no row is hot."""
    jobs: int = Field(sa_type=BigInteger)
    """Moved in the transaction that moves the jobs; a share may be negative, the sum of all shards never is."""
