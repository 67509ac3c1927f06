"""The span in which a job was submitted. Code of earlier revisions neither writes nor reads it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("request", sa.Column("traceparent", sa.String(), nullable=True))
