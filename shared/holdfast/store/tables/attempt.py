"""Calls and their ends: one row per attempt, written before the send, and one terminal record per generation."""

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, String
from sqlmodel import Field, SQLModel

from holdfast.model.job import Outcome
from holdfast.store.tables.job import ENDED
from holdfast.store.tables.partial import partial_index

OUTCOMES = ", ".join(f"'{outcome}'" for outcome in Outcome)


class AttemptRow(SQLModel, table=True):
    """One call. Without ``ended_at`` it runs; when its worker is gone it becomes ``unknown``."""

    __tablename__ = "attempt"
    __table_args__ = (
        CheckConstraint(f"outcome in ({OUTCOMES})", name="attempt_outcome"),
        CheckConstraint("(outcome is null) = (ended_at is null)", name="attempt_ended_has_an_outcome"),
        partial_index("attempt_open", "worker", where="ended_at is null"),
        {"sqlite_with_rowid": False},
    )

    job: str = Field(primary_key=True, sa_type=String(32))
    generation: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    route: str
    credential: str
    fence: int = Field(sa_type=BigInteger)
    worker: str = Field(sa_type=String(32))
    started_at: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str | None = None
    fault: str | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    provider_request_id: str | None = None
    usage: str | None = None  # JSON; the two columns below are for sums
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    mapping: str | None = None  # what the route could not carry, JSON
    micros: int | None = Field(default=None, sa_type=BigInteger)  # of the call alone


class ResultRow(SQLModel, table=True):
    """The terminal record. Its primary key makes a second one impossible; it is inserted once and never updated."""

    __tablename__ = "result"
    __table_args__ = (CheckConstraint(f"state in ({ENDED})", name="result_state"),)

    job: str = Field(primary_key=True, sa_type=String(32))
    generation: int = Field(primary_key=True)
    fence: int = Field(sa_type=BigInteger)
    state: str
    reply: bytes | None = Field(default=None, sa_type=LargeBinary)
    fault: str | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    route: str | None = None
    usage: str | None = None
    cost_micros: int = Field(sa_type=BigInteger)  # of all calls of the generation whose end was known then
    attempts: int
    mapping: str | None = None
    created_at: int = Field(sa_type=BigInteger)
