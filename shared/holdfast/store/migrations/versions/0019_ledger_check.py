"""The last full count of the ledger, and indexes for pages of webhook deliveries.

Code of earlier revisions counts by itself, and reads more rows for such a page.

On Postgres the indexes are built while the system runs: see 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

INDEXES = {
    "webhook_delivery_endpoint": "webhook_delivery (endpoint, state, id)",
    "webhook_delivery_troubled": "webhook_delivery (state, id) where state <> 'delivered'",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute("set lock_timeout = 0")  # a build waits for every transaction that began before it
            for name, what in INDEXES.items():
                op.execute(f"drop index concurrently if exists {name}")
                op.execute(f"create index concurrently {name} on {what}")
            op.execute("reset lock_timeout")
    else:
        for name, what in INDEXES.items():
            op.execute(f"create index {name} on {what}")
    op.create_table(
        "ledger_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("broken", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
