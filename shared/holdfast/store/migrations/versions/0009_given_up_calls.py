"""Calls of the compatible APIs that were given up. Code of earlier revisions works on this schema and looks at none."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
ID = sa.String(length=32)


def upgrade() -> None:
    op.create_table(
        "given_up_call",
        sa.Column("job", ID, nullable=False),
        sa.Column("fingerprint", ID, nullable=False),
        sa.Column("given_up_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("given_up_call_fingerprint", "given_up_call", ["fingerprint", "given_up_at"])
    op.create_index("given_up_call_age", "given_up_call", ["given_up_at"])
