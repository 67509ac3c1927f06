"""Worker processes with their leases, the operator's overrides, and who did what."""

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class WorkerRow(SQLModel, table=True):
    """One process; its lease covers every job it holds."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True, sa_type=String(32))
    """Drawn by the process when it signs on; a process that lost its lease signs on again under a new one."""
    host: str
    """The machine's name, as the process tells it."""
    pid: int
    """The process's number on that machine."""
    version: str
    """The version of Holdfast that it runs."""
    started_at: int = Field(sa_type=BigInteger)
    """When it signed on."""
    lease_until: int = Field(sa_type=BigInteger)
    """Moved on by each renewal, on the database's clock. Once it is past, others take over its jobs."""
    stopped_at: int | None = Field(default=None, sa_type=BigInteger)
    """When it signed off, or was taken over; null while it lives. A day later the row is deleted."""


class OverrideRow(SQLModel, table=True):
    """What an operator forced: a lane ``paused``, a route ``open`` or ``closed``."""

    __tablename__ = "override"

    kind: str = Field(primary_key=True)
    """``lane`` or ``route``."""
    name: str = Field(primary_key=True)
    """Which lane or route."""
    value: str
    """What an operator forced: a lane ``paused``, a route ``open`` or ``closed``. To lift it is to delete the row."""
    actor: str
    """Who did, as the audit log names them."""
    set_at: int = Field(sa_type=BigInteger)
    """When."""


class AuditRow(SQLModel, table=True):
    """An operator's act: ``what`` in JSON, and how many jobs it moved."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    """In the order in which it was written."""
    at: int = Field(sa_type=BigInteger)
    """When."""
    actor: str
    """Who: a key, a user of the command line, or ``client``."""
    action: str
    """What was done: ``replay``, ``drop``, ``override``, ``key.create``, ``denied``, …"""
    what: str
    """To what, in JSON: the filter, the name, the value."""
    jobs: int = Field(default=0, sa_type=BigInteger)
    """How many jobs it moved."""
