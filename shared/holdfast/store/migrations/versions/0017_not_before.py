"""Jobs that may not start yet, by the wish of their producer.

Code of earlier revisions starts none of them early: they wait as delayed ones do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("job", sa.Column("not_before", sa.BigInteger(), nullable=True))
    scheduled = sa.text("state = 'delayed' and not_before is not null")
    op.create_index("job_scheduled", "job", ["not_before", "lane"], sqlite_where=scheduled, postgresql_where=scheduled)
