"""Files that clients uploaded, in pieces, so that every API host can serve them and none has to hold one in memory."""

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlmodel import Field, SQLModel


class FileRow(SQLModel, table=True):
    """One uploaded file. The row is written after its last chunk: a file that can be seen is whole."""

    __tablename__ = "file"
    __table_args__ = (
        Index("file_tenant", "tenant", "id"),
        Index("file_fingerprint", "fingerprint", "created_at"),
        Index("file_expiry", "expires_at"),
    )

    id: str = Field(primary_key=True, sa_type=String(32))
    """Made when the upload begins; sorts by time. Set once, as is every other field."""
    tenant: str
    """Who owns it."""
    filename: str
    """The client's own name for it, which comes back with it."""
    purpose: str
    """What the client says it is for, such as ``batch``. Only files of a known purpose can be uploaded."""
    size: int = Field(sa_type=BigInteger)
    """Bytes as they were uploaded."""
    lines: int = Field(sa_type=BigInteger)
    """Lines that are not blank: how many requests a batch made of it will have."""
    fingerprint: str = Field(sa_type=String(32))
    """API key, name, purpose and content, hashed: a repeated upload finds the first one by it."""
    created_at: int = Field(sa_type=BigInteger)
    """When its last byte was kept."""
    expires_at: int = Field(sa_type=BigInteger)
    """When retention deletes it, with its chunks; NEVER where nobody said so."""


class FileChunkRow(SQLModel, table=True):
    """A piece of a file: all but the last have the same size. Written before the file's row, deleted with it.

    An upload that broke off leaves chunks behind, which retention finds.
    """

    __tablename__ = "file_chunk"

    file: str = Field(primary_key=True, sa_type=String(32))
    """The file's id, whose row may not be there yet."""
    number: int = Field(primary_key=True)
    """Its place in the file, from 0."""
    body: bytes = Field(sa_type=LargeBinary)
    """The bytes, zlib-compressed when large. Never changed."""
