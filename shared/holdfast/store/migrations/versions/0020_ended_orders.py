"""What a batch of a file came to: its tokens and its model, kept at its end, and how long its output files last.

Code of earlier revisions ends batches without the first two, and shows their files for as long as their jobs are kept.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("batch_order", sa.Column("output_micros", sa.BigInteger(), nullable=True))
    op.add_column("batch_order", sa.Column("usage", sa.String(), nullable=True))
    op.add_column("batch_order", sa.Column("model", sa.String(), nullable=True))
