"""Bulk actions as rows that are worked off in pages. Code of earlier revisions acts at once, and looks at none."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "operation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("filter", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("max_jobs", sa.BigInteger(), nullable=True),
        sa.Column("gap", sa.BigInteger(), nullable=False),
        sa.Column("next_start", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("action in ('replay', 'drop', 'delete_ended')", name="operation_action"),
        sa.PrimaryKeyConstraint("id"),
    )
    open_ones = sa.text("ended_at is null")
    op.create_index("operation_open", "operation", ["moved_at"], sqlite_where=open_ones, postgresql_where=open_ones)
