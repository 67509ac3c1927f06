"""Calls and their ends: one row per attempt, written before the send, and one terminal record per generation."""

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, String
from sqlmodel import Field, SQLModel

from holdfast.model.job import Outcome
from holdfast.store.sql import ENDED
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
    """The job whose call it is. Set by the claim, before a byte is sent; so are all fields down to ``started_at``."""
    generation: int = Field(primary_key=True)
    """The job's generation, which a replay raises."""
    number: int = Field(primary_key=True)
    """Which call of its generation this is, counted from 1 by the job's own ``number``."""
    route: str
    """``provider/model`` that was called, as the permit named it."""
    credential: str
    """The credential's name, as the permit named it."""
    fence: int = Field(sa_type=BigInteger)
    """The job's fence under this claim. Two attempts under one fence are a hedge."""
    worker: str = Field(sa_type=String(32))
    """The process that makes the call; when its lease is over, whoever takes over ends the row as ``unknown``."""
    started_at: int = Field(sa_type=BigInteger)
    """When the claim was committed: just before the call. Hedges: before the second call."""
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    """When its end was written, by the worker, by a take-over or by a requeue; null while it runs."""
    outcome: str | None = None
    """Set with ``ended_at``; ``unknown`` may still become what a late end tells. Then it never changes."""
    fault: str | None = None
    """What went wrong, as a FaultKind, set with the end; null where a reply came, or nobody knows."""
    status: int | None = None
    """The HTTP status of the answer, where one came."""
    code: str | None = None
    """The provider's own word for a fault, where it had one."""
    message: str | None = None
    """What the provider said of a fault, or who ended the row and why. For people."""
    provider_request_id: str | None = None
    """The provider's id of the call, from its answer, for a talk with its support."""
    usage: str | None = None
    """Tokens as the provider told them, JSON of a Usage; null without a reply. The next two columns are for sums."""
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    """Of ``usage``: input. 0 until the end."""
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    """Of ``usage``: output. 0 until the end."""
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    """Micro-dollars by the route's price, set with the end; 0 where nothing is known to be billed."""
    mapping: str | None = None
    """What the route's format could not carry, JSON pairs of field and note; null where it carried all."""
    micros: int | None = Field(default=None, sa_type=BigInteger)
    """How long the call alone took, without the wait for a permit or for SQL, in microseconds. Set with the end."""


class ResultRow(SQLModel, table=True):
    """The terminal record. Its primary key makes a second one impossible; it is inserted once and never updated."""

    __tablename__ = "result"
    __table_args__ = (CheckConstraint(f"state in ({ENDED})", name="result_state"),)

    job: str = Field(primary_key=True, sa_type=String(32))
    """The job that ended."""
    generation: int = Field(primary_key=True)
    """Which generation of it; a replay begins the next one, and this row stays."""
    fence: int = Field(sa_type=BigInteger)
    """The job's fence at its end; the ledger compares it with the job's own."""
    state: str
    """How it ended: ``succeeded``, ``dead``, ``cancelled`` or ``expired``."""
    reply: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The answer, JSON of a Reply, compressed when large; null unless it succeeded."""
    fault: str | None = None
    """What it died of, as a FaultKind; null where nothing went wrong."""
    status: int | None = None
    """The HTTP status of what it died of, where there was one."""
    code: str | None = None
    """The provider's own word for what it died of."""
    message: str | None = None
    """Why it ended, in a sentence for people; null where it succeeded."""
    route: str | None = None
    """The route of the last call; null where none was made."""
    usage: str | None = None
    """Tokens of the call that brought the reply, JSON of a Usage; null without one."""
    cost_micros: int = Field(sa_type=BigInteger)
    """Micro-dollars of all calls of the generation whose end was known then."""
    attempts: int
    """How many calls the generation made."""
    mapping: str | None = None
    """What the last route's format could not carry; null where it carried all."""
    cause: str | None = Field(default=None, sa_type=String(16))
    """Of a dead letter: which provider, status, code and words it died of, as a digest to group by. Else null."""
    created_at: int = Field(sa_type=BigInteger)
    """When it ended."""
