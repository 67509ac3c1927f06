"""Indexes that keep lists and dead letters quick at a million jobs, and the oldest code that may work on the schema.

Code of earlier revisions notices neither.

On Postgres they are built while the system runs: ``concurrently``, which no transaction can hold. A build that was cut
short leaves an index that is not valid, so each is dropped first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0002"

INDEXES = (
    ("job_lane", "lane, state, id", None),
    ("job_tenant", "tenant, state, id", None),
    ("job_dead_group", "state, lane, fault, finished_at", "state = 'dead'"),
    ("job_dead_oldest", "finished_at, id", "state = 'dead'"),
)


def upgrade() -> None:
    op.create_table(
        "schema_floor", sa.Column("revision", sa.String(), nullable=False), sa.PrimaryKeyConstraint("revision")
    )
    op.execute(sa.text("insert into schema_floor (revision) values ('0001')"))
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            build("drop index concurrently if exists", "create index concurrently")
    else:
        build("drop index if exists", "create index")


def build(drop: str, create: str) -> None:
    for name, columns, where in INDEXES:
        op.execute(sa.text(f"{drop} {name}"))
        op.execute(sa.text(f"{create} {name} on job ({columns}){f' where {where}' if where else ''}"))
