"""What the APIs for other APIs' clients keep: uploaded files, and orders of batches.

Code of earlier revisions works on this schema and looks at none of it: files and orders wait for code that does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
ID = sa.String(length=32)


def upgrade() -> None:
    _files()
    _orders()


def _files() -> None:
    op.create_table(
        "file",
        sa.Column("id", ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("file_tenant", "file", ["tenant", "id"])
    op.create_index("file_fingerprint", "file", ["fingerprint", "created_at"])
    op.create_index("file_expiry", "file", ["expires_at"])
    op.create_table(
        "file_chunk",
        sa.Column("file", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file", "number"),
    )


def _orders() -> None:
    op.create_table(
        "batch_order",
        sa.Column("batch", ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("api", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("file", ID, nullable=False),
        sa.Column("completion_window", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=True),
        sa.Column("fingerprint", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("next_line", sa.BigInteger(), nullable=False),
        sa.Column("next_byte", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("cancel_asked_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("final_counts", sa.String(), nullable=True),
        sa.Column("bad_lines", sa.BigInteger(), nullable=False),
        sa.Column("hidden_files", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("batch"),
    )
    op.create_index("batch_order_tenant", "batch_order", ["tenant", "api", "batch"])
    op.create_index("batch_order_fingerprint", "batch_order", ["fingerprint", "created_at"])
    open_ones = sa.text("ended_at is null")
    op.create_index("batch_order_open", "batch_order", ["batch"], sqlite_where=open_ones, postgresql_where=open_ones)
    op.create_table(
        "bad_line",
        sa.Column("batch", ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("custom_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("param", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("batch", "position"),
    )
