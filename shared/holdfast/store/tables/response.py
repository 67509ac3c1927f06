"""Answers as they came, apart from the attempts that brought them, so that counting those reads no body."""

from sqlalchemy import LargeBinary, String
from sqlmodel import Field, SQLModel


class ResponseRow(SQLModel, table=True):
    """What a provider answered to one attempt. Written with its end, never changed, deleted with its job."""

    __tablename__ = "response"

    job: str = Field(primary_key=True, sa_type=String(32))
    """The job whose call it answered."""
    generation: int = Field(primary_key=True)
    """The job's generation then."""
    number: int = Field(primary_key=True)
    """Which attempt of it."""
    status: int
    """HTTP status."""
    request_id: str | None = None
    """The provider's name for the call; null where it gave none."""
    body: bytes = Field(sa_type=LargeBinary)
    """The body, zlib-compressed when large. Read by whoever asks for the answer as it came."""
