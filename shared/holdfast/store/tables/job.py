"""The job: a narrow, hot row, with its request kept apart so that a million waiting jobs stay small."""

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String
from sqlmodel import Field, SQLModel

from holdfast.model.job import TERMINAL, State
from holdfast.store.micros import NEVER
from holdfast.store.tables.partial import partial_index

STATES = ", ".join(f"'{state}'" for state in State)
ENDED = ", ".join(sorted(f"'{state}'" for state in TERMINAL))


class JobRow(SQLModel, table=True):
    """One accepted job. ``number`` counts the attempts of this generation; ``expires_at`` is NEVER without a deadline.

    Each partial index answers one question that is asked all day: which jobs head a lane, are due, have expired, run
    on a worker, are dead, belong to a batch, ended in a batch. The two that hold every job are for lists by lane and
    by tenant, whatever the state.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(f"state in ({STATES})", name="job_state"),
        CheckConstraint("(state = 'delayed') = (available_at is not null)", name="job_delayed_has_a_date"),
        CheckConstraint("(state = 'running') = (worker is not null)", name="job_running_has_a_worker"),
        CheckConstraint(f"(state in ({ENDED})) = (finished_at is not null)", name="job_ended_has_a_date"),
        partial_index("job_key", "tenant", "idempotency_key", where="idempotency_key is not null", unique=True),
        partial_index("job_head", "lane", "expires_at", "id", where="state = 'queued'"),
        partial_index("job_due", "available_at", where="state = 'delayed'"),
        partial_index("job_expiry", "expires_at", where=f"state in ('queued', 'delayed') and expires_at < {NEVER}"),
        partial_index("job_running", "worker", where="state = 'running'"),
        partial_index("job_dead", "tenant", "fault", "finished_at", where="state = 'dead'"),
        partial_index("job_batch", "batch", "id", where="batch is not null"),
        partial_index("job_ended", "batch", "position", where=f"batch is not null and state in ({ENDED})"),
        partial_index("job_dead_group", "state", "lane", "fault", "finished_at", where="state = 'dead'"),
        partial_index("job_dead_oldest", "finished_at", "id", where="state = 'dead'"),
        Index("job_lane", "lane", "state", "id"),
        Index("job_tenant", "tenant", "state", "id"),
    )

    id: str = Field(primary_key=True, sa_type=String(32))
    tenant: str
    batch: str | None = Field(default=None, sa_type=String(32))
    custom_id: str | None = None
    position: int | None = Field(default=None, sa_type=BigInteger)
    model: str
    lane: str
    priority: str
    idempotency_key: str | None = None
    request_hash: str = Field(sa_type=String(32))
    labels: str | None = None  # the producer's metadata, JSON
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    expires_in: int | None = Field(default=None, sa_type=BigInteger)  # what the producer asked for; a replay needs it
    expires_at: int = Field(sa_type=BigInteger)
    state: str
    generation: int
    fence: int = Field(sa_type=BigInteger)
    number: int
    attempts: int
    calls: int
    tries: int
    crashes: int
    worker: str | None = Field(default=None, sa_type=String(32))
    available_at: int | None = Field(default=None, sa_type=BigInteger)
    finished_at: int | None = Field(default=None, sa_type=BigInteger)
    avoid: str | None = None  # route -> microseconds or null, JSON
    why_waiting: str | None = None
    fault: str | None = None


class RequestRow(SQLModel, table=True):
    """The prompt: canonical JSON, zlib-compressed when large. Never read while its job waits."""

    __tablename__ = "request"

    job: str = Field(primary_key=True, sa_type=String(32))
    body: bytes = Field(sa_type=LargeBinary)
