"""The outbox with its readers' cursors, and which end of a batch was told.

Code of earlier revisions ends jobs that nobody is told of.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox_cursor",
        sa.Column("reader", sa.String(length=32), nullable=False),
        sa.Column("after", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("reader"),
    )
    op.add_column("batch", sa.Column("ended_event", sa.BigInteger(), nullable=True))
