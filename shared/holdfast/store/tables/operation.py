"""Operations: bulk actions on many jobs, worked off in pages by whichever process looks at them next."""

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, String
from sqlmodel import Field, SQLModel

from holdfast.store.tables.partial import partial_index


class OperationRow(SQLModel, table=True):
    """One bulk action. Every page of it moves its jobs and this row in one transaction, so no job is taken twice.

    A process that dies in the middle leaves the row open, and another one goes on where it stood.
    """

    __tablename__ = "operation"
    __table_args__ = (
        CheckConstraint("action in ('replay', 'drain', 'drop', 'delete_ended')", name="operation_action"),
        partial_index("operation_open", "moved_at", where="ended_at is null"),
    )

    id: str = Field(primary_key=True, sa_type=String(32))
    """Made by whoever asks for it, who waits for it and names it to the user; ``retention`` has one row for ever."""
    action: str
    """What is done: ``replay``, ``drain``, ``drop`` (of dead letters), ``delete_ended`` (retention). Never changes."""
    actor: str
    """Who asked, as the audit log names them. Never changes."""
    tenant: str | None = None
    """Whose jobs it may take, as the filter says too; null: everybody's. Never changes."""
    filter: str
    """Which jobs, as JSON of a JobFilter, frozen when the operation was asked for."""
    until: int = Field(sa_type=BigInteger)
    """Only jobs that ended before this date are taken, so one that dies again meanwhile is not taken twice."""
    max_jobs: int | None = Field(default=None, sa_type=BigInteger)
    """How many jobs it takes at most; null: all that the filter fits. Never changes."""
    gap: int = Field(default=0, sa_type=BigInteger)
    """Microseconds between the starts of two replayed jobs; 0: all start at once. Never changes."""
    next_start: int = Field(default=0, sa_type=BigInteger)
    """When the next replayed job may start. Moved by each page, so that the pace holds across pages and crashes."""
    cursor: str = ""
    """The last id that retention has looked at, or the number of a drain's next page. Moved by each page."""
    jobs: int = Field(default=0, sa_type=BigInteger)
    """How many jobs were moved so far. Grown by each page; once ``ended_at`` is set, the operation's answer."""
    eligible: int | None = Field(default=None, sa_type=BigInteger)
    """How many jobs its filter fitted when it was asked for, ``max_jobs`` at most; null: nobody counted."""
    edit: str | None = None
    """What a replay changes of its jobs, as JSON of a ReplayEdit; null: nothing. Never changes."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was asked for."""
    moved_at: int = Field(sa_type=BigInteger)
    """When it was asked for, or a page of it was last done. Long ago: its message was lost, and is sent again."""
    paused_at: int | None = Field(default=None, sa_type=BigInteger)
    """When an operator paused it: no page is done until it is resumed, which sets this to null again."""
    aborted_at: int | None = Field(default=None, sa_type=BigInteger)
    """When an operator ended it before its last page; set with ``ended_at``. Null: nobody did."""
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    """When the last page was done, or it was aborted; null while it is open. A day later the row is deleted, of a drain
    with its export after a month or when an operator says so; the audit log stays.
    """


class DrainedPageRow(SQLModel, table=True):
    """Dead letters that a drain has taken, as lines to be submitted again. Written as their jobs are deleted."""

    __tablename__ = "drained_page"

    operation: str = Field(primary_key=True, sa_type=String(32))
    """The drain, whose row goes with the last of its pages."""
    number: int = Field(primary_key=True)
    """Its place in the export, from 0."""
    body: bytes = Field(sa_type=LargeBinary)
    """The lines, zlib-compressed when large. Read by whoever fetches the export; never changed."""
