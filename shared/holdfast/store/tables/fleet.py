"""Worker processes with their leases, the operator's overrides, and who did what."""

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class WorkerRow(SQLModel, table=True):
    """One process; its lease covers every job it holds."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True, sa_type=String(32))
    host: str
    pid: int
    version: str
    started_at: int = Field(sa_type=BigInteger)
    lease_until: int = Field(sa_type=BigInteger)
    stopped_at: int | None = Field(default=None, sa_type=BigInteger)


class OverrideRow(SQLModel, table=True):
    """What an operator forced: a lane ``paused``, a route ``open`` or ``closed``."""

    __tablename__ = "override"

    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    actor: str
    set_at: int = Field(sa_type=BigInteger)


class AuditRow(SQLModel, table=True):
    """An operator's act: ``what`` in JSON, and how many jobs it moved."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_type=BigInteger)
    actor: str
    action: str
    what: str
    jobs: int = Field(default=0, sa_type=BigInteger)
