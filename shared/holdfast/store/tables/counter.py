"""Figures that only grow, for whoever watches: kept by the transactions they tell of, so that no look counts rows."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class CounterRow(SQLModel, table=True):
    """One figure of one writer (``shard``); the figure is the sum of its rows.

    ``labels`` is a JSON list of texts. Only ``dead``, the dead letters by fault, also falls.
    """

    __tablename__ = "counter"
    __table_args__ = ({"sqlite_with_rowid": False},)

    name: str = Field(primary_key=True)
    """Which figure, as ``store.counters`` names it."""
    labels: str = Field(primary_key=True)
    """A JSON list of texts, such as route and outcome."""
    shard: int = Field(primary_key=True)
    """Which writer's share this is."""
    amount: int = Field(sa_type=BigInteger)
    """Grown by the transactions that it counts. Only that of ``dead``, the dead letters by fault, also falls."""


class PaceRow(SQLModel, table=True):
    """Jobs of a lane that ended within one slot of time, which began ``at``. Kept for minutes, for estimates."""

    __tablename__ = "pace"
    __table_args__ = ({"sqlite_with_rowid": False},)

    lane: str = Field(primary_key=True)
    """Whose jobs ended."""
    at: int = Field(primary_key=True, sa_type=BigInteger)
    """When the slot of five seconds began."""
    shard: int = Field(primary_key=True)
    """Which writer's share this is."""
    ended: int = Field(sa_type=BigInteger)
    """How many jobs ended in it, grown as they end. The sweeper deletes the row after ten minutes."""
