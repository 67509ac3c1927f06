"""What people were told of: each trouble of the installation from its beginning to its end."""

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel

from holdfast.store.tables.partial import partial_index


class AlertRow(SQLModel, table=True):
    """One trouble. Written by whichever process looks first, and moved on by one of them at a time."""

    __tablename__ = "alert"
    __table_args__ = (
        partial_index("alert_open", "kind", "about", where="ended_at is null", unique=True),
        partial_index("alert_old", "ended_at", where="ended_at is not null"),
    )

    id: str = Field(primary_key=True, sa_type=String(32))
    """Drawn when the trouble is first seen. Its two events are named after it."""
    kind: str
    """What is wrong: ``outage``, ``credential_parked``, ``deadline_at_risk``, ``ledger_broken``, ``budget_near``, …"""
    about: str
    """With whom: a route, a credential, a lane, the ledger."""
    sentence: str
    """What there is to know, for people; of the last look that saw it."""
    since: int = Field(sa_type=BigInteger)
    """When it began, as far as anybody knows: no later than the first look that saw it."""
    seen_at: int = Field(sa_type=BigInteger)
    """When a look last saw it. Once that is a while ago, it is over."""
    told_at: int | None = Field(default=None, sa_type=BigInteger)
    """When people were told that it began; null: it is too young for that, and ends without a word."""
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    """When it was found to be over, and people were told; null while it lasts."""


class AlertWatchRow(SQLModel, table=True):
    """When somebody last looked: one process of the fleet looks at a time."""

    __tablename__ = "alert_watch"

    id: int = Field(primary_key=True)
    """1: there is one row."""
    looked_at: int = Field(sa_type=BigInteger)
    """Moved by compare-and-set: who moves it looks."""
    month: str | None = None
    """The calendar month that ``baseline`` is of, set by the first look in it; null: no look was made yet."""
    baseline: int | None = Field(default=None, sa_type=BigInteger)
    """Micro-dollars that all calls had cost when the month was first looked at, set with it."""
