"""Limits that workers learned. Code of earlier revisions works on this schema, and learns anew."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "learned_limit",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("requests_per_minute", sa.Float(), nullable=False),
        sa.Column("burst", sa.Float(), nullable=False),
        sa.Column("told_requests", sa.Float(), nullable=True),
        sa.Column("told_input_tokens", sa.Float(), nullable=True),
        sa.Column("told_output_tokens", sa.Float(), nullable=True),
        sa.Column("learned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket"),
    )
