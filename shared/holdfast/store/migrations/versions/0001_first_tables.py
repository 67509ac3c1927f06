"""The first tables: jobs with their requests, calls and results; batches and counts; workers, overrides, the audit.

What each table and index is for stands in ``store/tables``; a test compares the two. On Postgres the rows that move
often leave room on their pages, and are vacuumed long before a fifth of them is dead.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BUSY = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, "
    "autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0"
)
BUSY_TABLES = ("job", "attempt", "tally", "worker")


def upgrade() -> None:
    batch_table()
    job_table()
    job_indexes()
    request_table()
    attempt_table()
    result_table()
    tally_table()
    worker_table()
    override_table()
    audit_table()
    if op.get_bind().dialect.name == "postgresql":
        for table in BUSY_TABLES:
            op.execute(f"alter table {table} set ({BUSY})")


def partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    chosen = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=chosen, postgresql_where=chosen)


def batch_table() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("batch_tenant", "batch", ["tenant", "id"])


def job_table() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=True),
        sa.Column("custom_id", sa.String(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("request_hash", sa.String(length=32), nullable=False),
        sa.Column("labels", sa.String(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_in", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=True),
        sa.Column("available_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("avoid", sa.String(), nullable=True),
        sa.Column("why_waiting", sa.String(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.CheckConstraint("(state = 'delayed') = (available_at is not null)", name="job_delayed_has_a_date"),
        sa.CheckConstraint("(state = 'running') = (worker is not null)", name="job_running_has_a_worker"),
        sa.CheckConstraint(
            "(state in ('cancelled', 'dead', 'expired', 'succeeded')) = (finished_at is not null)",
            name="job_ended_has_a_date",
        ),
        sa.CheckConstraint(
            "state in ('queued', 'delayed', 'running', 'succeeded', 'dead', 'cancelled', 'expired')", name="job_state"
        ),
        sa.PrimaryKeyConstraint("id"),
    )


def job_indexes() -> None:
    partial_index("job_batch", "job", ["batch", "id"], where="batch is not null")
    partial_index("job_dead", "job", ["tenant", "fault", "finished_at"], where="state = 'dead'")
    partial_index("job_due", "job", ["available_at"], where="state = 'delayed'")
    partial_index(
        "job_ended",
        "job",
        ["batch", "position"],
        where="batch is not null and state in ('cancelled', 'dead', 'expired', 'succeeded')",
    )
    partial_index(
        "job_expiry", "job", ["expires_at"], where="state in ('queued', 'delayed') and expires_at < 4611686018427387904"
    )
    partial_index("job_head", "job", ["lane", "expires_at", "id"], where="state = 'queued'")
    partial_index("job_key", "job", ["tenant", "idempotency_key"], where="idempotency_key is not null", unique=True)
    partial_index("job_running", "job", ["worker"], where="state = 'running'")


def request_table() -> None:
    op.create_table(
        "request",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )


def attempt_table() -> None:
    op.create_table(
        "attempt",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("provider_request_id", sa.String(), nullable=True),
        sa.Column("usage", sa.String(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("mapping", sa.String(), nullable=True),
        sa.Column("micros", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("outcome in ('succeeded', 'failed', 'unknown', 'abandoned')", name="attempt_outcome"),
        sa.CheckConstraint("(outcome is null) = (ended_at is null)", name="attempt_ended_has_an_outcome"),
        sa.PrimaryKeyConstraint("job", "generation", "number"),
        sqlite_with_rowid=False,
    )
    partial_index("attempt_open", "attempt", ["worker"], where="ended_at is null")


def result_table() -> None:
    op.create_table(
        "result",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("route", sa.String(), nullable=True),
        sa.Column("usage", sa.String(), nullable=True),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('cancelled', 'dead', 'expired', 'succeeded')", name="result_state"),
        sa.PrimaryKeyConstraint("job", "generation"),
        sqlite_with_rowid=False,
    )


def tally_table() -> None:
    op.create_table(
        "tally",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "state", "shard"),
        sqlite_with_rowid=False,
    )


def worker_table() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )


def override_table() -> None:
    op.create_table(
        "override",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
    )


def audit_table() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
