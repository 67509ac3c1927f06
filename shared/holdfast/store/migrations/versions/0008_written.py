"""Answers as they came. Requests are kept as they were written in the table that is there, in an envelope of their own.

Code of earlier revisions works on this schema, but cannot read an envelope: its workers are replaced before whatever
submits. What it deletes leaves answers behind, which retention finds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "response",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job", "generation", "number"),
    )
    op.add_column("job", sa.Column("written_in", sa.String(), nullable=True))
    op.add_column("job", sa.Column("output_ceiling", sa.BigInteger(), nullable=True))
