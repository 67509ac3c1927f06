"""Random keys of this installation, made by itself. Keys of providers are never here."""

from sqlmodel import Field, SQLModel


class SecretRow(SQLModel, table=True):
    """``message``: what messages in Redis are signed with."""

    __tablename__ = "secret"

    name: str = Field(primary_key=True)
    """``message``: what messages in Redis are signed with."""
    value: str
    """Random, in hex, made by the first process that needs it. Never changes."""
