"""Counters for metrics, and the pace at which lanes drain. Code of earlier revisions looks at neither."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"

BUSY = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, "
    "autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0"
)
# Dead letters that are there already. All other figures begin at nothing, as counters may.
DEAD = """
    insert into counter (name, labels, shard, amount)
    select 'dead', '["' || fault || '"]', 0, count(*) from job where state = 'dead' and fault is not null group by fault
"""


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", "shard"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pace",
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "at", "shard"),
        sqlite_with_rowid=False,
    )
    op.execute(DEAD)
    if op.get_bind().dialect.name == "postgresql":
        for table in ("counter", "pace"):
            op.execute(f"alter table {table} set ({BUSY})")
