"""What a month had cost when it began, for the alert about a budget. Code of earlier revisions watches no budget."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("alert_watch", sa.Column("month", sa.String(), nullable=True))
    op.add_column("alert_watch", sa.Column("baseline", sa.BigInteger(), nullable=True))
