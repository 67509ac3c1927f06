"""Drains as operations, whose exports are kept in SQL, and an index that finds a job by its producer's name.

Code of earlier revisions takes no drain: it refuses the action, and leaves the row to code that knows it.

On Postgres the index is built while the system runs: see 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ACTIONS = "action in ('replay', 'drain', 'drop', 'delete_ended')"
INDEX = "job_custom on job (custom_id, id) where custom_id is not null"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("operation_action", "operation", type_="check")
        op.create_check_constraint("operation_action", "operation", ACTIONS)
        with op.get_context().autocommit_block():
            op.execute("set lock_timeout = 0")  # a build waits for every transaction that began before it
            op.execute("drop index concurrently if exists job_custom")
            op.execute(f"create index concurrently {INDEX}")
            op.execute("reset lock_timeout")
    else:
        with op.batch_alter_table("operation") as operation:  # a copy, without its old checks, which nothing reflects
            operation.create_check_constraint("operation_action", ACTIONS)
        op.execute("drop index if exists job_custom")
        op.execute(f"create index {INDEX}")
    op.create_table(
        "drained_page",
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("operation", "number"),
    )
