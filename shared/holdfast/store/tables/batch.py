"""Batches, and the running counts that make status cheap at a million jobs."""

from sqlalchemy import BigInteger, Index, String
from sqlmodel import Field, SQLModel


class BatchRow(SQLModel, table=True):
    """Jobs submitted together."""

    __tablename__ = "batch"
    __table_args__ = (Index("batch_tenant", "tenant", "id"),)

    id: str = Field(primary_key=True, sa_type=String(32))
    tenant: str
    name: str
    source: str | None = None
    created_at: int = Field(sa_type=BigInteger)


class TallyRow(SQLModel, table=True):
    """Jobs by state of a lane or a batch, moved in the transaction that moves the jobs.

    One row per writer (``shard``), so that no row is hot; the count is their sum. ``kind`` is ``lane``, ``batch``, or
    ``total`` for what was ever accepted and dropped.
    """

    __tablename__ = "tally"
    __table_args__ = ({"sqlite_with_rowid": False},)

    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    shard: int = Field(primary_key=True)
    jobs: int = Field(sa_type=BigInteger)
