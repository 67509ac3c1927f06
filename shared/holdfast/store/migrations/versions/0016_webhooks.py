"""Webhooks: receivers, secrets and deliveries; which job and batch names a receiver; alerts that people were told of.

Code of earlier revisions submits jobs that name no receiver, and delivers nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
ID = sa.String(length=32)


def upgrade() -> None:
    op.add_column("job", sa.Column("webhook", ID, nullable=True))
    op.add_column("batch", sa.Column("webhook", ID, nullable=True))
    create_endpoints()
    create_deliveries()
    create_alerts()


def create_endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("resting_until", sa.BigInteger(), nullable=False),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_endpoint_tenant", "webhook_endpoint", ["tenant", "id"])
    op.create_table(
        "webhook_secret",
        sa.Column("id", ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_secret_tenant", "webhook_secret", ["tenant", "created_at"])


def create_deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("endpoint", ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state in ('pending', 'delivered', 'dead')", name="webhook_delivery_state"),
        sa.CheckConstraint("(state = 'pending') = (ended_at is null)", name="webhook_delivery_ended_has_a_date"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_delivery_event", "webhook_delivery", ["endpoint", "event"], unique=True)
    op.create_index("webhook_delivery_list", "webhook_delivery", ["tenant", "state", "id"])
    partial("webhook_delivery_due", "webhook_delivery", ["endpoint", "next_at"], "state = 'pending'")
    partial("webhook_delivery_old", "webhook_delivery", ["ended_at"], "ended_at is not null")


def create_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    partial("alert_open", "alert", ["kind", "about"], "ended_at is null", unique=True)
    partial("alert_old", "alert", ["ended_at"], "ended_at is not null")
    op.create_table(
        "alert_watch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    """An index of the rows for which ``where`` holds."""
    only = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=only, postgresql_where=only)
