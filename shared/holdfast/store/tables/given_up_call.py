"""Waiting calls that were given up, so that a repeat on any host finds the job of the first try."""

from sqlalchemy import BigInteger, Index, String
from sqlmodel import Field, SQLModel


class GivenUpCallRow(SQLModel, table=True):
    """A job of a waiting call whose client went away before it had the answer."""

    __tablename__ = "given_up_call"
    __table_args__ = (
        Index("given_up_call_fingerprint", "fingerprint", "given_up_at"),
        Index("given_up_call_age", "given_up_at"),
    )

    job: str = Field(primary_key=True, sa_type=String(32))
    """The job that goes on. The row is deleted by the repeat that takes it over, or ten minutes later."""
    fingerprint: str = Field(sa_type=String(32))
    """What the call and its repeats have in common: API key, route, body and headers, hashed. Never changes."""
    given_up_at: int = Field(sa_type=BigInteger)
    """When the client went away; again when the one that took it over goes away too."""
