"""What dead letters died of, and operations that are counted, paused, aborted, and edit what they replay.

Code of earlier revisions writes dead letters without a cause, which are a group of their own, and does the pages of
operations all the same: its workers know no pause, and are replaced before somebody needs one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("result", sa.Column("cause", sa.String(length=16), nullable=True))
    op.add_column("operation", sa.Column("eligible", sa.BigInteger(), nullable=True))
    op.add_column("operation", sa.Column("edit", sa.String(), nullable=True))
    op.add_column("operation", sa.Column("paused_at", sa.BigInteger(), nullable=True))
    op.add_column("operation", sa.Column("aborted_at", sa.BigInteger(), nullable=True))
