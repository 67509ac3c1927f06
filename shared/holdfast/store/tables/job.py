"""The job: a narrow, hot row, with its request kept apart so that a million waiting jobs stay small."""

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String
from sqlmodel import Field, SQLModel

from holdfast.model.job import State
from holdfast.store.micros import NEVER
from holdfast.store.sql import ENDED
from holdfast.store.tables.partial import partial_index

STATES = ", ".join(f"'{state}'" for state in State)


class JobRow(SQLModel, table=True):
    """One accepted job.

    Each partial index answers one question that is asked all day: which jobs head a lane, are due, are scheduled for
    later, have expired, run on a worker, are dead, belong to a batch, ended in a batch, have a name of their own. Two
    hold every job, for lists by lane and by tenant, whatever the state.
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
        partial_index("job_scheduled", "not_before", "lane", where="state = 'delayed' and not_before is not null"),
        partial_index("job_expiry", "expires_at", where=f"state in ('queued', 'delayed') and expires_at < {NEVER}"),
        partial_index("job_running", "worker", where="state = 'running'"),
        partial_index("job_dead", "tenant", "fault", "finished_at", where="state = 'dead'"),
        partial_index("job_batch", "batch", "id", where="batch is not null"),
        partial_index("job_ended", "batch", "position", where=f"batch is not null and state in ({ENDED})"),
        partial_index("job_dead_group", "state", "lane", "fault", "finished_at", where="state = 'dead'"),
        partial_index("job_dead_oldest", "finished_at", "id", where="state = 'dead'"),
        partial_index("job_custom", "custom_id", "id", where="custom_id is not null"),
        Index("job_lane", "lane", "state", "id"),
        Index("job_tenant", "tenant", "state", "id"),
    )

    id: str = Field(primary_key=True, sa_type=String(32))
    """Made by the producer, sorted by time; a submit of a known id is the earlier job. Set once, as are all down to
    ``expires_in``.
    """
    tenant: str
    """Who owns it."""
    batch: str | None = Field(default=None, sa_type=String(32))
    """The batch it was submitted in; null where it came alone."""
    custom_id: str | None = None
    """The producer's own name for it, which comes back with the answer."""
    position: int | None = Field(default=None, sa_type=BigInteger)
    """Its place in the batch's input, by which results are listed; null outside a batch."""
    model: str
    """The alias, or ``provider/model``, that it asks for."""
    lane: str
    """Its ready queue: model and priority class."""
    priority: str
    """The priority class."""
    idempotency_key: str | None = None
    """Under which a repeated submit finds it, within its tenant; null where none was sent."""
    request_hash: str = Field(sa_type=String(32))
    """Tells a repeated submit from another job under the same key."""
    written_in: str | None = None
    """The wire format of the request as it was written, which its output is told in; null for a plain one."""
    labels: str | None = None
    """The producer's metadata, JSON; null where there is none."""
    webhook: str | None = Field(default=None, sa_type=String(32))
    """The receiver that is told of each end, from its submit; null where it named none."""
    input_tokens: int = Field(sa_type=BigInteger)
    """Estimated when it was submitted; the gate reserves so many of a route's bucket."""
    output_tokens: int = Field(sa_type=BigInteger)
    """Estimated likewise: what the answer may take."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was accepted."""
    expires_in: int | None = Field(default=None, sa_type=BigInteger)
    """Microseconds that the producer gives it; null: as long as it takes. A replay starts them anew."""
    expires_at: int = Field(sa_type=BigInteger)
    """When it ends as ``expired`` if it waits then. Set by submit and replay; NEVER without a deadline."""
    state: str
    """Where it stands; moved by the statements of claim, finish, requeue, cancel, take-over, replay and the sweeper."""
    generation: int
    """1 when it is submitted, one more with every replay."""
    fence: int = Field(sa_type=BigInteger)
    """One more with every claim. What is written under an older one is refused."""
    number: int
    """Calls of this generation, in flight or ended: the number of the last attempt."""
    attempts: int
    """Calls that count against the plan's limit of attempts, moved with each end. A snooze counts none."""
    calls: int
    """Calls that a provider may bill, moved with each end, and by a take-over for what may have been sent."""
    tries: int
    """Failed calls, which widen the next backoff; moved with each end. A wait for a limit is none."""
    crashes: int
    """Workers that died while they held it, counted by the take-over. At the limit it is buried as ``poison``."""
    worker: str | None = Field(default=None, sa_type=String(32))
    """Who holds it, set by the claim; null unless it is running."""
    available_at: int | None = Field(default=None, sa_type=BigInteger)
    """When the sweeper queues it, set by a submit for later, finish or a paced replay; null unless it is delayed."""
    not_before: int | None = Field(default=None, sa_type=BigInteger)
    """When the producer lets it start, set by submit, never changed; null: at once. Waits are measured from here."""
    finished_at: int | None = Field(default=None, sa_type=BigInteger)
    """When this generation ended; null while it lives. Retention counts from here."""
    avoid: str | None = None
    """Routes it shall not take: route to the date until which, or null for good, JSON. Set by submit and finish."""
    why_waiting: str | None = None
    """Why it is not running, in a sentence for people; set by whatever made it wait, cleared by the claim."""
    output_ceiling: int | None = Field(default=None, sa_type=BigInteger)
    """The most output tokens that a route said it may ask for; set by a finish, cleared by a replay. Null: no such."""
    fault: str | None = None
    """What its last call ended with, or what it died of, as a FaultKind; null where nothing went wrong."""


class RequestRow(SQLModel, table=True):
    """The prompt, zlib-compressed when large: what was written, in its envelope, or JSON of the neutral form.

    Never read while its job waits.
    """

    __tablename__ = "request"

    job: str = Field(primary_key=True, sa_type=String(32))
    """Whose request it is. Written with the job, never changed, deleted with it."""
    body: bytes = Field(sa_type=LargeBinary)
    """Read by the claim, and by whoever looks at this one job."""
    traceparent: str | None = None
    """The span that its job was submitted in, W3C Trace Context; null where nobody traced. Read by the claim."""
