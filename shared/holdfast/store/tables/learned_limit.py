"""Limits that nobody wrote down, as workers learned them: the start of the next run."""

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class LearnedLimitRow(SQLModel, table=True):
    """What workers know of the limits of one credential and model group. ``holdfast route reset`` deletes the row."""

    __tablename__ = "learned_limit"

    bucket: str = Field(primary_key=True)
    """``provider/credential:group``, as the gate's bucket is named."""
    stage: str | None = Field(default=None, sa_type=String(16))
    """How the request limit was found: ``told``, ``learned``, …; null where the configuration names it."""
    requests_per_minute: float
    """What was used at most; 0 where the configuration names it. Written anew where it changes by a twentieth."""
    burst: float
    """Requests at once, at most."""
    told_requests: float | None = None
    """Requests a minute that a header named last; null: none did."""
    told_input_tokens: float | None = None
    """The same for input tokens."""
    told_output_tokens: float | None = None
    """The same for output tokens."""
    learned_at: int = Field(sa_type=BigInteger)
    """When the bucket was last used at this rate. What is known fades with the time since then."""
