"""Indexes that keep lists and dead letters quick at a million jobs, and the oldest code that may work on the schema.

Code of earlier revisions notices neither.

On Postgres they are built while the system runs: ``concurrently``, which no transaction can hold. A build that was cut
short leaves an index that is not valid, so each is dropped first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INDEXES = (
    ("job_lane", "lane, state, id", None),
    ("job_tenant", "tenant, state, id", None),
    ("job_dead_group", "state, lane, fault, finished_at", "state = 'dead'"),
    ("job_dead_oldest", "finished_at, id", "state = 'dead'"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute("set lock_timeout = 0")  # a build waits for every transaction that began before it
            build("drop index concurrently if exists", "create index concurrently")
            op.execute("reset lock_timeout")
    else:
        build("drop index if exists", "create index")
    floor()  # after the builds, with the new revision's number: a build that fails leaves no table behind


def floor() -> None:
    revision = sa.Column("revision", sa.String(), nullable=False)
    op.create_table("schema_floor", revision, sa.PrimaryKeyConstraint("revision"))
    op.execute(sa.text("insert into schema_floor (revision) values ('0001')"))


def build(drop: str, create: str) -> None:
    for name, columns, where in INDEXES:
        op.execute(sa.text(f"{drop} {name}"))
        op.execute(sa.text(f"{create} {name} on job ({columns}){f' where {where}' if where else ''}"))
