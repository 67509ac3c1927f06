"""Batches that were ordered through a compatible API: what was asked for, and how far their file has been read."""

from sqlalchemy import BigInteger, Index, String
from sqlmodel import Field, SQLModel

from holdfast.store.tables.partial import partial_index


class BatchOrderRow(SQLModel, table=True):
    """The order behind a batch. Its jobs are made from a kept file, a page of lines in each transaction with this row.

    A process that dies in the middle leaves the row open, and another one goes on at the same line.
    """

    __tablename__ = "batch_order"
    __table_args__ = (
        Index("batch_order_tenant", "tenant", "api", "batch"),
        Index("batch_order_fingerprint", "fingerprint", "created_at"),
        partial_index("batch_order_open", "batch", where="ended_at is null"),
    )

    batch: str = Field(primary_key=True, sa_type=String(32))
    """The batch whose jobs these are; its row is made with this one. Set once, as is all down to ``lines``."""
    tenant: str
    """Who owns it."""
    api: str
    """Through whose API it was ordered, and is shown: ``openai`` or ``anthropic``."""
    endpoint: str
    """Where all its requests go, such as ``/v1/chat/completions``."""
    file: str = Field(sa_type=String(32))
    """The kept file with a request on each line."""
    completion_window: str
    """How long the client gives it, in the client's words."""
    labels: str | None = None
    """The client's metadata, JSON; null where there is none."""
    fingerprint: str = Field(sa_type=String(32))
    """API key, route and body, hashed: a repeated creation finds the first one by it."""
    created_at: int = Field(sa_type=BigInteger)
    """When it was ordered."""
    expires_at: int = Field(sa_type=BigInteger)
    """When what waits of it ends as expired: the deadline of all its jobs."""
    lines: int = Field(sa_type=BigInteger)
    """How many requests the file holds."""
    next_line: int = Field(sa_type=BigInteger)
    """How many of them have been read: each has become a job or a bad line. Moved with every page."""
    next_byte: int = Field(sa_type=BigInteger)
    """Where in the file the next page begins. Moved with every page."""
    leased_until: int = Field(sa_type=BigInteger)
    """Until when a process reads it, renewed with every page; past it, another one takes over. 0: nobody does."""
    read_at: int | None = Field(default=None, sa_type=BigInteger)
    """When its last line had been read, or reading was given up; null while that goes on."""
    failure: str | None = None
    """Why it failed as a whole, JSON of code and message; null where single lines failed at most."""
    cancel_asked_at: int | None = Field(default=None, sa_type=BigInteger)
    """When its cancellation was asked for; reading stops there. Null: it was not."""
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    """When its last job had ended and the counts were kept; null while it lives."""
    final_counts: str | None = None
    """Its jobs by state when it ended, JSON, for retention deletes jobs; null while it lives."""
    bad_lines: int = Field(sa_type=BigInteger)
    """Lines that became no job. Moved with every page."""
    hidden_files: str = ""
    """Which of its output files the client has deleted: ``output``, ``error``, or both with a space between."""
    deleted_at: int | None = Field(default=None, sa_type=BigInteger)
    """When the client deleted it, and it is shown no more; null: it was not."""
    output_micros: int | None = Field(default=None, sa_type=BigInteger)
    """How long after its end its output files are shown, in microseconds; null: the client said nothing."""
    usage: str | None = None
    """Tokens of its answers, JSON of a Usage, kept with its end; null where it has none, and while it lives."""
    model: str | None = None
    """The model of the routes that answered, kept with its end; null where there were several or none."""


class BadLineRow(SQLModel, table=True):
    """A line of an order that could not become a job. Written with the page that read it, deleted with its batch."""

    __tablename__ = "bad_line"

    batch: str = Field(primary_key=True, sa_type=String(32))
    """The batch that the line is part of."""
    position: int = Field(primary_key=True, sa_type=BigInteger)
    """Its place among the requests, from 0, where its job would have been."""
    line: int = Field(sa_type=BigInteger)
    """Its number in the file, from 1, blank lines counted."""
    custom_id: str | None = None
    """The client's own name for the request, where it could be read."""
    code: str
    """What is wrong with it, for programs."""
    message: str
    """What is wrong with it, for a person: what was expected and where."""
    param: str | None = None
    """The key that is wrong; null where it is the line as a whole."""
